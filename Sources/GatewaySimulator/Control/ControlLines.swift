// SPDX-License-Identifier: Apache-2.0

/// What the simulator remembers, as values that become lines of JSON.
enum ControlLines {
    /// A message that was taken, with what has become of it.
    static func message(_ message: SentMessage, state: DeliveryState, text: String) -> AnswerValue {
        var members: [(name: String, value: AnswerValue)] = [
            ("Number", .integer(Int(message.number))),
            ("Time", .string(message.time.timestamp)),
            ("PhoneNumber", .string(message.phoneNumber)),
            ("SignName", .string(message.signName)),
            ("TemplateCode", .string(message.templateCode)),
        ]
        if let parameters = message.templateParameters {
            members.append(("TemplateParam", values(of: parameters)))
        }
        if let code = message.extensionCode { members.append(("SmsUpExtendCode", .string(code))) }
        if let outID = message.outID { members.append(("OutId", .string(outID))) }
        members += [
            ("Text", .string(text)),
            ("SendStatus", .string(state.word)),
            ("ErrCode", .string(state.errorCode)),
            ("BizId", .string(message.bizID)),
            ("RequestId", .string(message.requestID)),
            ("Request", .integer(Int(message.request))),
        ]
        return .members(members)
    }

    /// A request and what the gateway thought of it.
    static func request(_ record: RequestRecord, withBytes: Bool) -> AnswerValue {
        var members: [(name: String, value: AnswerValue)] = [
            ("Number", .integer(Int(record.number))),
            ("Time", .string(record.time.timestamp)),
            ("Action", .string(record.action)),
            ("AccessKeyId", .string(record.accessKeyID)),
            ("Status", .integer(record.status)),
            ("Code", .string(record.code)),
            ("Message", .string(record.message)),
            ("RequestId", .string(record.requestID)),
            ("Messages", .integer(record.send?.elements.count ?? 0)),
        ]
        if let bizID = record.bizID { members.append(("BizId", .string(bizID))) }
        if let outID = record.outID { members.append(("OutId", .string(outID))) }
        if let fault = record.fault { members.append(("Fault", .string(fault))) }
        if !record.ignoredParameters.isEmpty {
            let names = record.ignoredParameters.map(AnswerValue.string)
            members.append(("Ignored", .list(names, element: "Name")))
        }
        guard withBytes else { return .members(members) }
        let headers = record.request.headers.map { header -> AnswerValue in
            .list([.string(header.name), .string(header.value)], element: "Header")
        }
        members += [
            ("Method", .string(record.request.method)),
            ("Target", .string(String(decoding: record.request.target, as: UTF8.self))),
            ("Headers", .list(headers, element: "Headers")),
            ("Body", .string(String(decoding: record.request.body, as: UTF8.self))),
        ]
        return .members(members)
    }

    /// A message that was taken more than once.
    static func duplicate(_ duplicate: DuplicatesLedger.Duplicate) -> AnswerValue {
        let message = duplicate.message
        var members: [(name: String, value: AnswerValue)] = [
            ("Count", .integer(duplicate.count)),
            ("PhoneNumber", .string(message.phoneNumber)),
            ("SignName", .string(message.signName)),
            ("TemplateCode", .string(message.templateCode)),
        ]
        if let parameters = message.templateParameters {
            members.append(("TemplateParam", values(of: parameters)))
        }
        members.append(("RepeatedIn", .list(duplicate.bizIDs.map(AnswerValue.string), element: "BizId")))
        return .members(members)
    }

    /// What the lines of a ledger's duplicates do not show; `nil` if they show all.
    static func remark(about ledger: DuplicatesLedger) -> AnswerValue? {
        guard ledger.forgottenCount > 0 || ledger.hiddenRepeatCount > 0 else { return nil }
        return .members([
            ("Forgotten", .integer(ledger.forgottenCount)),
            ("HiddenRepeats", .integer(ledger.hiddenRepeatCount)),
            (
                "Message",
                .string(
                    "Messages are compared with \(ledger.comparedCount) others; \(ledger.forgottenCount) were forgotten, see --compare. "
                        + "The repeats of \(DuplicatesLedger.maximumShownCount) messages are shown."
                )
            ),
        ])
    }

    /// A fault rule with what it has done.
    static func fault(_ rule: FaultRule, matches: Int, hits: Int) -> AnswerValue {
        .members([
            ("Fault", .string(rule.text)),
            ("Matches", .integer(matches)),
            ("Hits", .integer(hits)),
        ])
    }

    private static func values(of object: String) -> AnswerValue {
        .members(MessageText.values(of: object).map { ($0.name, .string($0.value)) })
    }
}

extension DeliveryState {
    /// The state in a word, as `smspipe status` spells it.
    var word: String {
        switch sendStatus {
        case 1: "waiting"
        case 2: "failed"
        default: "delivered"
        }
    }
}
