// SPDX-License-Identifier: Apache-2.0

extension GatewayRules {
    /// Answers QuerySendDetails.
    ///
    /// Source: api 4.2.
    ///
    /// - Throws: The ``Refusal`` for parameters that are missing or wrong.
    func sendDetails(
        _ parameters: ParameterList,
        at now: WallTime,
    ) throws(Refusal) -> [(name: String, value: AnswerValue)] {
        let phoneNumber = try parameters.required("PhoneNumber")
        let sendDate = try parameters.required("SendDate")
        let pageSize = try parameters.requiredInteger("PageSize", in: 1...50)
        let page = try parameters.requiredInteger("CurrentPage", in: 1...1_000_000)
        let bizID = parameters.text(of: "BizId").flatMap { $0.isEmpty ? nil : $0 }
        guard phoneNumber.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            throw .service("isv.MOBILE_NUMBER_ILLEGAL")
        }
        let days = (0..<31).map { (now + .seconds(-86_400 * $0)).chinaDate }
        guard days.contains(sendDate) else {
            throw .service("isv.INVALID_PARAMETERS", "SendDate must be yyyyMMdd within the last 30 days.")
        }
        let found = records.messages(toDigits: phoneNumber).filter { message in
            message.time.chinaDate == sendDate && (bizID == nil || message.bizID == bizID)
        }
        let start = min((page - 1) * pageSize, found.count)
        let shown = found[start..<min(start + pageSize, found.count)]
        let details = shown.map { detail(of: $0, at: now) }
        return [
            ("TotalCount", .integer(found.count)),
            ("SmsSendDetailDTOs", .members([("SmsSendDetailDTO", .list(details, element: "SmsSendDetailDTO"))])),
        ]
    }

    private func detail(of message: SentMessage, at now: WallTime) -> AnswerValue {
        let state = deliveryState(of: message, at: now)
        var members: [(name: String, value: AnswerValue)] = [
            ("PhoneNum", .string(message.digits)),
            ("SendStatus", .integer(state.sendStatus)),
            ("ErrCode", .string(state.errorCode)),
            ("TemplateCode", .string(message.templateCode)),
            ("Content", .string(MessageText.text(of: message, template: account.templates?[message.templateCode]))),
            ("SendDate", .string(message.time.chinaText)),
        ]
        if let time = state.reportTime { members.append(("ReceiveDate", .string(time.chinaText))) }
        if let outID = message.outID { members.append(("OutId", .string(outID))) }
        return .members(members)
    }

    /// What has become of a message by now.
    func deliveryState(of message: SentMessage, at now: WallTime) -> DeliveryState {
        if let code = message.failure {
            return DeliveryState(sendStatus: 2, errorCode: code, reportTime: message.time)
        }
        let number = account.numbers[message.digits]
        let reportTime = message.time + (number?.reportDelay ?? configuration.reportDelay)
        guard now >= reportTime else { return .waiting }
        switch number?.outcome ?? .delivered {
        case .delivered: return DeliveryState(sendStatus: 3, errorCode: "DELIVERED", reportTime: reportTime)
        case .failed(let code): return DeliveryState(sendStatus: 2, errorCode: code, reportTime: reportTime)
        case .silent: return .waiting
        }
    }
}

/// What has become of a message.
///
/// Source: api 4.2, SendStatus and ErrCode.
struct DeliveryState: Equatable, Sendable {
    /// 1 waiting for the receipt, 2 failed, 3 delivered.
    var sendStatus: Int
    /// The carrier's code; empty while there is none.
    var errorCode: String
    /// When it was reported; `nil` while it was not.
    var reportTime: WallTime?

    static let waiting = DeliveryState(sendStatus: 1, errorCode: "", reportTime: nil)
}

extension ParameterList {
    /// The text of a parameter that a call insists on.
    func required(_ name: StaticString) throws(Refusal) -> String {
        guard let text = text(of: name), !text.isEmpty else { throw .missing(name.description) }
        return text
    }

    /// The number of a parameter that a call insists on.
    func requiredInteger(_ name: StaticString, in range: ClosedRange<Int>) throws(Refusal) -> Int {
        guard let number = Int(try required(name)), range.contains(number) else {
            throw .service(
                "isv.INVALID_PARAMETERS",
                "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return number
    }
}
