// SPDX-License-Identifier: Apache-2.0

extension GatewayRules {
    /// Answers QuerySendStatistics over the messages that are kept.
    ///
    /// Source: api 4.3.
    ///
    /// - Throws: The ``Refusal`` for parameters that are missing or wrong.
    func sendStatistics(
        _ parameters: ParameterList,
        at now: WallTime,
    ) throws(Refusal) -> [(name: String, value: AnswerValue)] {
        let isInternational = try parameters.requiredInteger("IsGlobe", in: 1...2) == 2
        let dates =
            try parameters.requiredDate(
                "StartDate"
            )...max(
                parameters.requiredDate("StartDate"),
                parameters.requiredDate("EndDate"),
            )
        let index = try parameters.requiredInteger("PageIndex", in: 1...1_000_000)
        let size = try parameters.requiredInteger("PageSize", in: 1...50)
        let signName = parameters.text(of: "SignName").flatMap { $0.isEmpty ? nil : $0 }
        let type = parameters.text(of: "TemplateType").flatMap { Int($0) }
        var days: [String: DayStatistics] = [:]
        for number in records.messageNumbers {
            guard let message = records.message(number), dates.contains(message.time.chinaDate) else { continue }
            let kind = account.templates?[message.templateCode]?.kind ?? .notice
            guard (kind == .international) == isInternational, signName == nil || signName == message.signName,
                type == nil || type == kind.number
            else { continue }
            days[message.time.chinaDate, default: DayStatistics()].count(deliveryState(of: message, at: now))
        }
        let all = days.sorted { $0.key < $1.key }
        let start = min((index - 1) * size, all.count)
        let list = all[start..<min(start + size, all.count)].map { $0.value.value(of: $0.key) }
        let data: [(name: String, value: AnswerValue)] = [
            ("TotalSize", .integer(all.count)), ("TargetList", .list(list, element: "TargetList")),
        ]
        return [("Data", .members(data))]
    }
}

/// What became of the messages of one day.
private struct DayStatistics {
    private var total = 0
    private var delivered = 0
    private var failed = 0

    mutating func count(_ state: DeliveryState) {
        total += 1
        if state.sendStatus == 3 { delivered += 1 }
        if state.sendStatus == 2 { failed += 1 }
    }

    func value(of date: String) -> AnswerValue {
        .members([
            ("SendDate", .string(date)), ("TotalCount", .integer(total)),
            ("RespondedSuccessCount", .integer(delivered)),
            ("RespondedFailCount", .integer(failed)), ("NoRespondedCount", .integer(total - delivered - failed)),
        ])
    }
}

extension ParameterList {
    /// The date of a parameter that a call insists on, as `yyyyMMdd`.
    func requiredDate(_ name: StaticString) throws(Refusal) -> String {
        let text = try required(name)
        guard text.utf8.count == 8, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            throw .service("isv.INVALID_PARAMETERS", "\(name) must be yyyyMMdd.")
        }
        return text
    }
}
