// SPDX-License-Identifier: Apache-2.0

extension InboxPage {
    /// The page; the script fills it and puts its words into the reader's language.
    static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>smspipe simulate</title>
        <link rel="stylesheet" href="/_sim/inbox.css">
        <link rel="icon" href="data:,">
        <script src="/_sim/inbox.js" defer></script>
        </head>
        <body>
        <header>
          <h1>smspipe <span data-word="simulator">simulator</span></h1>
          <nav role="tablist" aria-label="views">
            <button role="tab" id="tab-messages" aria-controls="messages" data-word="messages">Messages</button>
            <button role="tab" id="tab-requests" aria-controls="requests" data-word="requests">Requests</button>
            <button role="tab" id="tab-faults" aria-controls="faults" data-word="faults">Faults and limits</button>
          </nav>
          <p id="counts" role="status" aria-live="polite"></p>
          <button id="language" lang="zh">中文</button>
          <button id="clear" data-word="clear">Clear</button>
        </header>
        <main>
          <section id="messages" role="tabpanel" aria-labelledby="tab-messages">
            <form role="search" id="search-form">
              <input id="search" type="search" data-placeholder="search" aria-label="search" autocomplete="off">
            </form>
            <div class="split">
              <ol id="list" tabindex="0" role="listbox" aria-label="messages"></ol>
              <article id="detail" aria-live="polite"></article>
            </div>
            <p id="empty" data-word="empty" hidden>No message yet.</p>
          </section>
          <section id="requests" role="tabpanel" aria-labelledby="tab-requests" hidden>
            <div class="split">
              <ol id="request-list" tabindex="0" role="listbox" aria-label="requests"></ol>
              <article id="request-detail" aria-live="polite"></article>
            </div>
          </section>
          <section id="faults" role="tabpanel" aria-labelledby="tab-faults" hidden>
            <form id="settings">
              <label><span data-word="faultRules">Faults, one a line</span>
                <textarea name="Faults" rows="6" spellcheck="false"
                  placeholder="drop-after=10%&#10;error:isv.BUSINESS_LIMIT_CONTROL=1,number=13800000001"></textarea></label>
              <label><span data-word="latency">Latency</span><input name="Latency" placeholder="50ms±20ms"></label>
              <label><span data-word="qps">Requests a second</span><input name="QPS" placeholder="5000"></label>
              <label><span data-word="reportDelay">Receipts after</span><input name="ReportDelay" placeholder="1s"></label>
              <label><span data-word="badElement">One bad message</span>
                <select name="OnBadElement">
                  <option value="reject-batch" data-word="rejectBatch">refuses the batch</option>
                  <option value="fail-one" data-word="failOne">fails alone</option>
                </select></label>
              <label><span data-word="numberLimits">Limits per number</span>
                <select name="NumberLimits">
                  <option value="none" data-word="none">none</option>
                  <option value="service" data-word="service">those of the service</option>
                  <option value="account" data-word="account" disabled>those of the account file</option>
                </select></label>
              <p><button type="submit" data-word="apply">Apply</button> <output id="settings-result"></output></p>
              <table id="fault-table" hidden><thead><tr><th data-word="fault">Fault</th><th data-word="matches">Matches</th>
                <th data-word="hits">Hits</th></tr></thead><tbody></tbody></table>
            </form>
          </section>
        </main>
        <p id="lost" role="alert" data-word="lost" hidden>The simulator does not answer.</p>
        </body>
        </html>
        """
}
