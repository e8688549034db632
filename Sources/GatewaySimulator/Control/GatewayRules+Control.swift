// SPDX-License-Identifier: Apache-2.0

extension GatewayRules {
    /// Answers a request to the simulator's own pages below `/_sim/`, but for the inbox and for waiting.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - now: What time it is.
    /// - Returns: The answer: lines of JSON.
    package mutating func control(_ request: SimulatedRequest, at now: WallTime) -> SimulatedAnswer {
        // A body is JSON here, even where it comes as a form: curl -d says so of everything.
        guard let parameters = try? request.queryParameters() else {
            return .problem(400, "The query is malformed.")
        }
        switch (request.method, request.path) {
        case ("GET", "/_sim/messages"): return found(parameters) { messageLines($0, at: now) }
        case ("GET", "/_sim/requests"):
            return found(parameters) { requestLines($0, withBytes: parameters.text(of: "raw") != nil) }
        case ("GET", "/_sim/duplicates"): return .lines(duplicateLines())
        case ("GET", "/_sim/counts"): return .lines([counts])
        case ("GET", "/_sim/faults"): return .lines([settings])
        case ("PUT", "/_sim/faults"), ("POST", "/_sim/faults"): return change(request.body)
        case ("DELETE", "/_sim/faults"):
            faults.replaceRules([])
            faults.latency = nil
            return .lines([settings])
        case ("POST", "/_sim/replies"): return addReply(request.body, at: now)
        case ("POST", "/_sim/reset"):
            reset()
            return .lines([counts])
        case (_, "/_sim/messages"), (_, "/_sim/requests"), (_, "/_sim/duplicates"), (_, "/_sim/counts"),
            (_, "/_sim/faults"), (_, "/_sim/replies"), (_, "/_sim/reset"):
            return .problem(405, "\(request.method) is no method of \(request.path).")
        default:
            return .problem(404, "There is no \(request.path); see smspipe simulate --help.")
        }
    }

    /// How many messages were taken since the start or the last reset.
    package var takenMessageCount: Int { records.messageCount }

    // MARK: Lines

    /// The lines that a query asks for, or what is wrong with it.
    private func found(_ parameters: ParameterList, _ lines: (MessageQuery) -> [AnswerValue]) -> SimulatedAnswer {
        guard let query = MessageQuery(parameters) else {
            return .problem(400, "The parameters request, after and limit are whole numbers from 0.")
        }
        return .lines(lines(query))
    }

    private func messageLines(_ query: MessageQuery, at now: WallTime) -> [AnswerValue] {
        var lines: [AnswerValue] = []
        for number in query.numbers(in: records.messageNumbers) {
            guard lines.count < query.limit else { break }
            guard let message = records.message(number) else { continue }
            let text = MessageText.text(of: message, template: account.templates?[message.templateCode])
            guard query.matches(message, text: text) else { continue }
            lines.append(ControlLines.message(message, state: deliveryState(of: message, at: now), text: text))
        }
        return lines
    }

    private func requestLines(_ query: MessageQuery, withBytes: Bool) -> [AnswerValue] {
        var lines: [AnswerValue] = []
        for record in query.inOrder(records.requests) {
            guard lines.count < query.limit else { break }
            guard query.matches(record) else { continue }
            lines.append(ControlLines.request(record, withBytes: withBytes))
        }
        return lines
    }

    private func duplicateLines() -> [AnswerValue] {
        let ledger = records.duplicates
        let duplicates = ledger.duplicates.values.sorted { $0.message.number < $1.message.number }
        return duplicates.map(ControlLines.duplicate) + (ControlLines.remark(about: ledger).map { [$0] } ?? [])
    }

    private var counts: AnswerValue {
        let codes = records.countsByCode.sorted { $0.key < $1.key }.map {
            (name: $0.key, value: AnswerValue.integer($0.value))
        }
        return .members([
            ("Requests", .integer(records.requestCount)),
            ("Messages", .integer(records.messageCount)),
            ("Distinct", .integer(records.duplicates.distinctCount)),
            ("Repeats", .integer(records.duplicates.repeatCount)),
            ("Forgotten", .integer(records.duplicates.forgottenCount)),
            ("NoncesForgotten", .integer(nonces.earlyForgottenCount)),
            ("Kept", .integer(records.messageNumbers.count)),
            ("Codes", .members(codes)),
        ])
    }

    // MARK: Receipts

    private mutating func addReply(_ body: [UInt8], at now: WallTime) -> SimulatedAnswer {
        do throws(AccountFileError) {
            let receipt = receipts.add(try IncomingReply(body), at: now, isPushed: configuration.receiptsTo != nil)
            return SimulatedAnswer(
                status: 200,
                headers: [HeaderField("content-type", "application/x-ndjson; charset=utf-8")],
                body: receipt.json + [UInt8(ascii: "\n")],
            )
        } catch {
            return .problem(400, "\(error).")
        }
    }

    /// Answers a request to a queue of receipts.
    mutating func answer(_ request: QueueRequest, at now: WallTime) -> SimulatedAnswer {
        withReceipts { $0.answer(request, rules: $1, at: now) }
    }

    /// Takes the pushes of receipts that are due by now.
    mutating func takePushes(at now: WallTime) -> [ReceiptPushes.Push] {
        withReceipts { $0.takePushes(from: $1, at: now) }
    }

    /// Takes the receipts out meanwhile, so that they can change while they read the rules.
    private mutating func withReceipts<Result>(_ body: (inout GatewayReceipts, GatewayRules) -> Result) -> Result {
        var own = GatewayReceipts(configuration: configuration)
        swap(&own, &receipts)
        defer { swap(&own, &receipts) }
        return body(&own, self)
    }

    // MARK: Faults and limits

    private var settings: AnswerValue {
        var members: [(name: String, value: AnswerValue)] = [
            ("Faults", .list(faults.counts.map(ControlLines.fault), element: "Fault")),
            ("Latency", .string(faults.latency?.text ?? "0")),
            ("QPS", .string(configuration.requestsPerSecond.map(Self.text) ?? "none")),
            ("OnBadElement", .string(configuration.badElement.rawValue)),
            ("ReportDelay", .string(DurationText.text(configuration.reportDelay))),
            ("NumberLimits", .string(limiter.limits.text)),
        ]
        if let balance = spending.remainingBalance { members.append(("Balance", .integer(balance))) }
        return .members(members)
    }

    private static func text(_ number: Double) -> String {
        Int(exactly: number).map { "\($0)" } ?? "\(number)"
    }

    private mutating func change(_ body: [UInt8]) -> SimulatedAnswer {
        do throws(SettingsError) {
            let change = try SettingsChange(body)
            if let rules = change.faults { faults.replaceRules(rules) }
            if let latency = change.latency { faults.latency = latency == Latency(.zero) ? nil : latency }
            if let badElement = change.badElement { configuration.badElement = badElement }
            if let delay = change.reportDelay { configuration.reportDelay = delay }
            if let limits = change.numberLimits { limiter = NumberLimiter(limits: limits) }
            if let rate = change.requestsPerSecond { limitRate(rate == 0 ? nil : rate) }
            return .lines([settings])
        } catch {
            return .problem(400, "\(error).")
        }
    }

    /// Forgets requests, messages and counters, and starts faults, limits and the account's spending anew.
    package mutating func reset() {
        records.removeAll()
        receipts = GatewayReceipts(configuration: configuration)
        faults.replaceRules(faults.rules)
        spending = AccountSpending(balance: account.balance)
        limiter = NumberLimiter(limits: limiter.limits)
        limitRate(configuration.requestsPerSecond)
    }
}

extension SimulatedAnswer {
    /// An answer of lines of JSON.
    static func lines(_ values: [AnswerValue]) -> SimulatedAnswer {
        var body: [UInt8] = []
        for value in values {
            value.appendJSON(to: &body)
            body.append(UInt8(ascii: "\n"))
        }
        return SimulatedAnswer(
            status: 200,
            headers: [
                HeaderField("content-type", "application/x-ndjson; charset=utf-8"),
                HeaderField("cache-control", "no-store"),
            ],
            body: body,
        )
    }

    /// An answer that says what was wrong with a request.
    static func problem(_ status: Int, _ text: String) -> SimulatedAnswer {
        var answer = lines([.members([("Error", .string(text))])])
        answer.status = status
        return answer
    }
}
