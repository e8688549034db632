// SPDX-License-Identifier: Apache-2.0

extension InboxPage {
    /// The script: asks for what is new twice a second and shows it.
    ///
    /// All texts go in as text, never as markup.
    static let script = #"""
        "use strict";
        const words = {
          zh: {
            simulator: "模拟网关", messages: "短信", requests: "请求", faults: "故障与限流", clear: "清空",
            empty: "还没有短信。", nothingFound: "没有找到。", lost: "模拟网关没有响应。", search: "按号码、模板、验证码或文字查找", faultRules: "故障，每行一条",
            latency: "延迟", qps: "每秒请求数", reportDelay: "回执延迟", badElement: "一条有误的短信", rejectBatch: "使整批被拒",
            failOne: "单独失败", numberLimits: "单号码频率限制", none: "无", service: "与服务一致", account: "按账号文件", apply: "应用",
            applied: "已应用", fault: "故障", matches: "匹配", hits: "命中", waiting: "等待回执", delivered: "已送达", failed: "失败",
            number: "号码", signName: "签名", template: "模板", state: "状态", batch: "批次", time: "时间", receipt: "回执号",
            showRequest: "查看请求", raw: "原始请求", parameters: "参数", answer: "网关答复", ignored: "被忽略的参数", taken: "条已接收", refused: "被拒",
            showMessages: "查看这些短信", counts: (c) => `短信 ${c.Messages} · 重复 ${c.Repeats} · 请求 ${c.Requests}`,
          },
          en: {
            simulator: "simulator", messages: "Messages", requests: "Requests", faults: "Faults and limits", clear: "Clear",
            empty: "No message yet.", nothingFound: "Nothing found.", lost: "The simulator does not answer.", search: "Find by number, template, code or text",
            faultRules: "Faults, one a line", latency: "Latency", qps: "Requests a second", reportDelay: "Receipts after",
            badElement: "One bad message", rejectBatch: "refuses the batch", failOne: "fails alone",
            numberLimits: "Limits per number", none: "none", service: "those of the service",
            account: "those of the account file", apply: "Apply", applied: "Applied.", fault: "Fault", matches: "Matches",
            hits: "Hits", waiting: "waiting", delivered: "delivered", failed: "failed", number: "Number", signName: "Sign name",
            template: "Template", state: "State", batch: "Batch", time: "Time", receipt: "BizId", showRequest: "Show the request",
            raw: "Raw request", parameters: "Parameters", answer: "What the gateway thought", ignored: "Ignored parameters", taken: "taken",
            refused: "refused", showMessages: "Show its messages",
            counts: (c) => `Messages ${c.Messages} · Repeats ${c.Repeats} · Requests ${c.Requests}`,
          },
        };
        const $ = (id) => document.getElementById(id);
        let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
        const word = (name) => words[language][name];
        let view = "messages", onlyRequest = null, isEditing = false, lastCounts = null, clearedAt = 0;

        function make(tag, className, ...children) {
          const element = document.createElement(tag);
          if (className) element.className = className;
          element.append(...children.filter((child) => child !== null && child !== undefined));
          return element;
        }
        function definitions(pairs) {
          const list = make("dl");
          for (const [name, value] of pairs) {
            if (value !== undefined && value !== "") list.append(make("dt", "", name), make("dd", "", value));
          }
          return list;
        }
        function button(text, action) {
          const element = make("button", "", text);
          element.type = "button";
          element.addEventListener("click", action);
          return element;
        }
        const localTime = (text) => new Date(text).toLocaleTimeString(language === "zh" ? "zh-CN" : "en-GB");

        async function lines(path, options) {
          const response = await fetch(path, options);
          const text = await response.text();
          return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
        }

        // A list that keeps its selection by number while lines come and go.
        class List {
          constructor(element, render, show) {
            this.element = element; this.render = render; this.show = show;
            this.items = []; this.nodes = new Map(); this.selected = null; this.text = "";
            element.addEventListener("keydown", (event) => this.key(event));
            element.addEventListener("click", (event) => {
              const node = event.target.closest("li");
              if (node) this.select(Number(node.dataset.number));
            });
          }
          update(items) {
            const text = JSON.stringify(items.map((item) => [item.Number, item.SendStatus, language]));
            if (text === this.text) return;
            this.text = text; this.items = items;
            const nodes = new Map();
            for (const item of items) {
              const key = `${item.Number} ${item.SendStatus} ${language}`;
              const node = this.nodes.get(key) || this.node(item);
              nodes.set(key, node);
            }
            this.nodes = nodes;
            this.element.replaceChildren(...nodes.values());
            this.mark();
            const current = this.items.find((item) => item.Number === this.selected);
            if (current && current.SendStatus !== undefined) this.show(current);
          }
          node(item) {
            const node = make("li", "", ...this.render(item));
            node.dataset.number = item.Number;
            node.id = `${this.element.id}-${item.Number}`;
            node.setAttribute("role", "option");
            return node;
          }
          select(number) {
            this.selected = number;
            this.mark();
            const item = this.items.find((item) => item.Number === number);
            if (item) this.show(item);
          }
          mark() {
            for (const node of this.element.children) {
              const isSelected = Number(node.dataset.number) === this.selected;
              node.setAttribute("aria-selected", isSelected);
              if (isSelected) this.element.setAttribute("aria-activedescendant", node.id);
            }
          }
          key(event) {
            const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity, j: 1, k: -1 };
            if (!(event.key in moves) || !this.items.length) return;
            event.preventDefault();
            const at = this.items.findIndex((item) => item.Number === this.selected);
            const next = Math.max(0, Math.min(this.items.length - 1, at < 0 ? 0 : at + moves[event.key]));
            this.select(this.items[next].Number);
            this.element.children[next].scrollIntoView({ block: "nearest" });
          }
        }

        const messageList = new List($("list"), (message) => [
          make("div", "line", make("b", "", message.PhoneNumber), make("time", "", localTime(message.Time))),
          make("div", "preview", message.Text),
          make("div", "line", make("span", "faint", message.TemplateCode),
            make("span", `faint ${message.SendStatus}`, word(message.SendStatus))),
        ], showMessage);
        const requestList = new List($("request-list"), (request) => [
          make("div", "line", make("b", "", request.Action || "?"), make("time", "", localTime(request.Time))),
          make("div", `preview ${request.Code === "OK" ? "taken" : "refused"}`,
            request.Messages ? `${request.Messages} ${word("taken")}` : request.Code, request.Fault ? ` · ${request.Fault}` : null),
        ], showRequest);

        function showMessage(message) {
          const values = Object.entries(message.TemplateParam || {}).map(([name, value]) => `${name}=${value}`).join(", ");
          $("detail").replaceChildren(
            make("div", "phone", make("b", "", message.PhoneNumber), make("div", "bubble", message.Text)),
            definitions([
              [word("signName"), message.SignName], [word("template"), message.TemplateCode], ["TemplateParam", values],
              [word("state"), [word(message.SendStatus), message.ErrCode].filter(Boolean).join(" · ")],
              [word("time"), new Date(message.Time).toLocaleString(language === "zh" ? "zh-CN" : "en-GB")], [word("receipt"), message.BizId],
              ["OutId", message.OutId], ["RequestId", message.RequestId], [word("batch"), `#${message.Request}`],
            ]),
            make("p", "", button(word("showRequest"), () => { show("requests"); openRequest(message.Request); })),
          );
        }
        async function openRequest(number) {
          await refresh();
          requestList.select(number);
        }
        async function showRequest(item) {
          const [request] = await lines(`/_sim/requests?raw=1&after=${item.Number - 1}&limit=1`);
          if (!request || request.Number !== item.Number) return;
          const head = request.Headers.map(([name, value]) => `${name}: ${value}`).join("\n");
          const isForm = request.Headers.some(([name, value]) =>
            name.toLowerCase() === "content-type" && value.startsWith("application/x-www-form-urlencoded"));
          const query = request.Target.split("?").slice(1).join("?");
          const parameters = [query, isForm ? request.Body : ""].flatMap((text) => [...new URLSearchParams(text)]);
          $("request-detail").replaceChildren(
            make("h2", "faint", word("answer")),
            definitions([
              ["HTTP", String(request.Status)], ["Code", request.Code], ["Message", request.Message],
              ["RequestId", request.RequestId], [word("receipt"), request.BizId], ["OutId", request.OutId],
              [word("fault"), request.Fault], [word("ignored"), (request.Ignored || []).join(", ")],
            ]),
            make("p", "", request.Messages ? button(word("showMessages"), () => {
              $("search").value = `#${request.Number}`; show("messages");
            }) : null),
            ...(parameters.length ? [make("h2", "faint", word("parameters")), definitions(parameters)] : []),
            make("h2", "faint", word("raw")),
            make("pre", "", `${request.Method} ${request.Target}\n${head}\n\n${request.Body}`),
          );
        }

        // One look at a time: what is asked for meanwhile is looked at once more, and no old answer overtakes a new one.
        let looking = null, lookAgain = false;
        function refresh() {
          lookAgain = looking !== null;
          looking ??= (async () => {
            do { lookAgain = false; await look(); } while (lookAgain);
          })().finally(() => { looking = null; });
          return looking;
        }
        async function look() {
          try {
            const [counts] = await lines("/_sim/counts");
            $("lost").hidden = true;
            const isNew = JSON.stringify(counts) !== lastCounts;
            lastCounts = JSON.stringify(counts);
            $("counts").textContent = word("counts")(counts);
            if (view === "messages") await refreshMessages(isNew);
            if (view === "requests") requestList.update(await lines("/_sim/requests?newest=1&limit=1000"));
            if (view === "faults" && !isEditing) fillSettings((await lines("/_sim/faults"))[0]);
          } catch (error) {
            if (error instanceof TypeError) $("lost").hidden = false; else throw error;
          }
        }
        let lastQuery = "", pending = true;
        async function refreshMessages(isNew) {
          const text = $("search").value.trim();
          onlyRequest = /^#\d+$/.test(text) ? Number(text.slice(1)) : null;
          const query = onlyRequest ? `request=${onlyRequest}` : `text=${encodeURIComponent(text)}`;
          if (!isNew && query === lastQuery && !pending) return;
          lastQuery = query;
          const messages = await lines(`/_sim/messages?newest=1&limit=10000&${query}`);
          pending = messages.slice(0, 2000).some((message) => message.SendStatus === "waiting");
          messageList.update(messages);
          $("empty").hidden = messages.length > 0;
          $("empty").textContent = word(text ? "nothingFound" : "empty");
        }

        function fillSettings(settings) {
          const form = $("settings");
          form.Faults.value = settings.Faults.map((fault) => fault.Fault).join("\n");
          form.Latency.value = settings.Latency; form.QPS.value = settings.QPS;
          form.ReportDelay.value = settings.ReportDelay; form.OnBadElement.value = settings.OnBadElement;
          form.NumberLimits.value = settings.NumberLimits;
          $("fault-table").hidden = settings.Faults.length === 0;
          $("fault-table").tBodies[0].replaceChildren(...settings.Faults.map((fault) => make("tr", "",
            make("td", "", fault.Fault), make("td", "", String(fault.Matches)), make("td", "", String(fault.Hits)))));
        }
        $("settings").addEventListener("input", () => { isEditing = true; $("settings-result").textContent = ""; });
        $("settings").addEventListener("submit", async (event) => {
          event.preventDefault();
          const form = event.target;
          const change = {
            Faults: form.Faults.value.split("\n").map((line) => line.trim()).filter(Boolean),
            Latency: form.Latency.value.trim() || "0", QPS: form.QPS.value.trim() || "none",
            ReportDelay: form.ReportDelay.value.trim() || "0", OnBadElement: form.OnBadElement.value,
          };
          if (form.NumberLimits.value && form.NumberLimits.value !== "account") change.NumberLimits = form.NumberLimits.value;
          const [result] = await lines("/_sim/faults", { method: "PUT", body: JSON.stringify(change) });
          $("settings-result").textContent = result.Error || word("applied");
          if (!result.Error) { isEditing = false; fillSettings(result); }
        });

        function show(name) {
          view = name;
          for (const section of ["messages", "requests", "faults"]) {
            $(section).hidden = section !== name;
            $(`tab-${section}`).setAttribute("aria-selected", section === name);
            $(`tab-${section}`).tabIndex = section === name ? 0 : -1;
          }
          pending = true;
          location.hash = name;
          refresh();
        }
        for (const tab of document.querySelectorAll("[role=tab]")) {
          tab.addEventListener("click", () => show(tab.getAttribute("aria-controls")));
        }
        document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
          const tabs = [...document.querySelectorAll("[role=tab]")];
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!step) return;
          const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
          next.focus(); next.click();
        });
        document.addEventListener("keydown", (event) => {
          if (event.key !== "/" || /INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) return;
          event.preventDefault(); show("messages"); $("search").focus();
        });
        $("search").addEventListener("keydown", (event) => {
          if (event.key === "ArrowDown") { event.preventDefault(); $("list").focus(); messageList.key(event); }
        });
        // Who types is not looked after letter by letter.
        let typing = null;
        $("search").addEventListener("input", () => {
          clearTimeout(typing);
          typing = setTimeout(refresh, 150);
        });
        $("search-form").addEventListener("submit", (event) => event.preventDefault());
        $("clear").addEventListener("click", async () => {
          await fetch("/_sim/reset", { method: "POST" });
          for (const id of ["detail", "request-detail"]) $(id).replaceChildren();
          messageList.selected = requestList.selected = null; pending = true;
          refresh();
        });

        function speak() {
          document.documentElement.lang = language;
          for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
          for (const element of document.querySelectorAll("[data-placeholder]")) {
            element.placeholder = word(element.dataset.placeholder);
          }
          $("language").textContent = language === "zh" ? "English" : "中文";
          $("language").lang = language === "zh" ? "en" : "zh";
        }
        $("language").addEventListener("click", () => {
          language = language === "zh" ? "en" : "zh";
          localStorage.setItem("language", language);
          speak(); pending = true; refresh();
        });

        speak();
        show(["messages", "requests", "faults"].includes(location.hash.slice(1)) ? location.hash.slice(1) : "messages");
        // A page with many messages takes its time: it never spends more than a third of it on looking.
        async function follow() {
          for (let pause = 500; ; ) {
            await new Promise((done) => setTimeout(done, pause));
            const start = performance.now();
            if (!document.hidden) await refresh();
            pause = Math.max(500, 2 * (performance.now() - start));
          }
        }
        follow();
        """#
}
