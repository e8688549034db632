// SPDX-License-Identifier: Apache-2.0

extension InboxPage {
    /// The style: light or dark as the reader's system is, in one or two columns as the window is wide.
    static let style = """
        :root {
          color-scheme: light dark;
          --back: light-dark(#f4f4f6, #16171a); --card: light-dark(#ffffff, #222429);
          --text: light-dark(#1b1c1f, #e8e8ea); --faint: light-dark(#5f6470, #a2a6b1);
          --line: light-dark(#d9dbe1, #383b43); --accent: light-dark(#0a5bd3, #7fb2ff);
          --bubble: light-dark(#e6e7ec, #31343c);
          --good: light-dark(#12702c, #6fd38a); --bad: light-dark(#b3261e, #ff8f86); --wait: light-dark(#7a5600, #f0c057);
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        html, body { height: 100%; margin: 0; }
        body {
          display: flex; flex-direction: column; background: var(--back); color: var(--text);
          font: 15px/1.45 system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", sans-serif;
        }
        header {
          display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .8rem; padding: .5rem .9rem;
          background: var(--card); border-bottom: 1px solid var(--line);
        }
        h1 { font-size: 1rem; margin: 0; }
        #counts { margin: 0 0 0 auto; color: var(--faint); font-variant-numeric: tabular-nums; }
        button, input, select, textarea {
          font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
          padding: .3rem .7rem;
        }
        button { cursor: pointer; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
        ol:focus-visible { outline-offset: -2px; }
        [role=tab] { border-color: transparent; }
        [role=tab][aria-selected=true] { border-color: var(--accent); color: var(--accent); font-weight: 600; }
        main { flex: 1; min-height: 0; display: flex; }
        main > section { flex: 1; min-width: 0; display: flex; flex-direction: column; }
        #search-form { padding: .6rem .9rem; }
        #search { width: 100%; }
        .split { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(17rem, 2fr) 3fr; }
        .split ol { margin: 0; padding: 0; list-style: none; overflow-y: auto; border-right: 1px solid var(--line); }
        .split li {
          padding: .5rem .9rem; border-bottom: 1px solid var(--line); cursor: pointer; content-visibility: auto;
          contain-intrinsic-size: auto 4.2rem;
        }
        .split li[aria-selected=true] { background: var(--card); box-shadow: inset 3px 0 var(--accent); }
        .line { display: flex; justify-content: space-between; gap: .6rem; }
        .line b { font-variant-numeric: tabular-nums; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .faint, time { color: var(--faint); font-size: .86rem; }
        .preview { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .delivered, .taken { color: var(--good); } .failed, .refused { color: var(--bad); } .waiting { color: var(--wait); }
        article { overflow: auto; padding: 1rem; min-width: 0; }
        .phone { max-width: 24rem; margin: 0 auto 1rem; text-align: center; }
        .bubble {
          text-align: start; background: var(--bubble); border-radius: 1.1rem 1.1rem 1.1rem .3rem; padding: .7rem .95rem;
          margin-top: .6rem; font-size: 1.05rem; white-space: pre-wrap; overflow-wrap: anywhere;
        }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .9rem; margin: 0; }
        dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
        pre {
          background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem; white-space: pre-wrap;
          overflow-wrap: anywhere; max-height: 24rem; overflow: auto;
        }
        #settings { display: grid; grid-template-columns: minmax(0, 1fr); gap: .8rem; padding: 1rem; max-width: 44rem; overflow: auto; }
        #settings label { display: grid; grid-template-columns: minmax(0, 1fr); gap: .2rem; }
        textarea { font-family: ui-monospace, monospace; }
        table { border-collapse: collapse; justify-self: start; max-width: 100%; }
        th, td { text-align: start; padding: .2rem 1rem .2rem 0; vertical-align: top; } td:first-child { overflow-wrap: anywhere; }
        th { white-space: nowrap; }
        #empty { padding: 2rem; text-align: center; color: var(--faint); }
        #lost { margin: 0; padding: .6rem; text-align: center; background: var(--bad); color: var(--back); }
        @media (max-width: 46rem) {
          .split { grid-template-columns: 1fr; grid-template-rows: minmax(8rem, 1fr) minmax(8rem, 1fr); }
          .split ol { border-right: 0; border-bottom: 1px solid var(--line); }
          #counts { margin-left: 0; width: 100%; order: 9; }
        }
        """
}
