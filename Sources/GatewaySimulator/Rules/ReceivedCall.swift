// SPDX-License-Identifier: Apache-2.0

/// A call of the API as far as it can be judged without memory: read, its signature verified, its messages checked.
///
/// Making one is the costly part of an answer and needs no lock.
package struct ReceivedCall: Sendable {
    /// The request.
    let request: SimulatedRequest
    /// Its parameters; empty if they could not be read.
    private(set) var parameters = ParameterList()
    /// The signature, if it could be read.
    private(set) var signature: RequestSignature?
    /// The format that the answer should have.
    private(set) var format = AnswerFormat.json
    /// The call, if the API has it.
    private(set) var action: APIAction?
    /// Parameters that the call does not know.
    private(set) var ignoredParameters: [String] = []
    /// Why the gateway refuses the call whatever came before.
    private(set) var refusal: Refusal?
    /// The refusal for a key or a signature that is wrong, which stands after that for the time.
    private(set) var keyRefusal: Refusal?
    private(set) var signatureRefusal: Refusal?
    private(set) var actionRefusal: Refusal?
    /// The messages, if it is a send that could be read.
    private(set) var send: SendRequest?
    /// What the fixed rules say of the messages.
    private(set) var judgement: SendJudgement?
    /// Why the messages could not be read.
    private(set) var sendRefusal: Refusal?

    /// Reads and judges a request.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - account: The account that the gateway serves.
    package init(_ request: SimulatedRequest, account: SimulatedAccount) {
        self.request = request
        do throws(Refusal) {
            parameters = try Self.parameters(of: request)
            format = Self.format(request, parameters)
            let signature = try RequestSignature(request, parameters: parameters)
            self.signature = signature
            judgeKey(signature, account: account)
            guard keyRefusal == nil, signatureRefusal == nil else { return }
            judgeAction(signature)
            readSend(account: account)
        } catch {
            refusal = error
        }
    }

    private static func parameters(of request: SimulatedRequest) throws(Refusal) -> ParameterList {
        guard request.method == "GET" || request.method == "POST" else { throw .named("UnsupportedHTTPMethod") }
        guard request.path == "/" || request.path.isEmpty else { throw .named("InvalidApi.NotFound") }
        do throws(FormError) {
            return try request.parameters()
        } catch {
            let problem =
                switch error {
                case .badPercentEncoding(let offset): "a % without two hexadecimal digits at byte \(offset)"
                case .badUTF8(let offset): "bytes that are no UTF-8 in the parameter at byte \(offset)"
                case .tooManyParameters: "more than \(ParameterList.maximumCount) parameters"
                }
            throw .gateway("InvalidParameter.Format", 400, "The query or the form body holds \(problem).")
        }
    }

    /// V1 says the format in a parameter, V3 in the `accept` header.
    ///
    /// Source: api 1.1.
    private static func format(_ request: SimulatedRequest, _ parameters: ParameterList) -> AnswerFormat {
        if let format = parameters.text(of: "Format") { return format.lowercased() == "xml" ? .xml : .json }
        let accept = request.header("accept")?.lowercased() ?? ""
        return accept.contains("xml") && !accept.contains("json") && !accept.contains("*/*") ? .xml : .json
    }

    private mutating func judgeKey(_ signature: RequestSignature, account: SimulatedAccount) {
        guard let key = account.accessKeys[signature.accessKeyID] else {
            keyRefusal = .named("InvalidAccessKeyId.NotFound")
            return
        }
        guard key.state != .disabled else {
            keyRefusal = .named("InvalidAccessKeyId.Inactive")
            return
        }
        if !signature.matches(secret: key.secret) { signatureRefusal = signature.mismatch }
    }

    private mutating func judgeAction(_ signature: RequestSignature) {
        action = APIAction(rawValue: signature.action)
        guard let action else {
            actionRefusal = .named("InvalidAction.NotFound")
            return
        }
        guard signature.version == APIAction.version else {
            actionRefusal = .named("InvalidVersion")
            return
        }
        for entry in parameters.entries {
            let name = parameters.text(in: entry.name)
            if !action.knows(name) { ignoredParameters.append(name) }
        }
    }

    private mutating func readSend(account: SimulatedAccount) {
        guard actionRefusal == nil, let action, action.isSend else { return }
        do throws(Refusal) {
            var send =
                action == .sendBatchSms
                ? try SendRequest(batch: parameters) : try SendRequest(single: parameters)
            judgement = SendJudgement(&send, account: account)
            self.send = send
        } catch {
            sendRefusal = error
        }
    }
}

/// The calls that the simulator answers.
///
/// Source: api 3 and 4.
package enum APIAction: String, CaseIterable, Sendable {
    case sendBatchSms = "SendBatchSms"
    case sendSms = "SendSms"
    case querySendDetails = "QuerySendDetails"
    case querySendStatistics = "QuerySendStatistics"
    case querySmsTemplate = "QuerySmsTemplate"
    case querySmsTemplateList = "QuerySmsTemplateList"
    case getSmsTemplate = "GetSmsTemplate"
    case querySmsSign = "QuerySmsSign"
    case querySmsSignList = "QuerySmsSignList"
    case getSmsSign = "GetSmsSign"
    case queryTokenForMnsQueue = "QueryTokenForMnsQueue"

    /// The version of the API.
    static let version = "2017-05-25"

    private static let commonParameters = [
        "Action", "Version", "Format", "AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce",
        "Timestamp",
        "Signature", "SecurityToken", "RegionId", "SignatureType", "OwnerId", "ResourceOwnerId", "ResourceOwnerAccount",
    ]

    /// Whether the call sends messages.
    var isSend: Bool { self == .sendBatchSms || self == .sendSms }

    /// The call's own parameters.
    private var parameters: [String] {
        switch self {
        case .sendBatchSms:
            ["PhoneNumberJson", "SignNameJson", "TemplateCode", "TemplateParamJson", "SmsUpExtendCodeJson", "OutId"]
        case .sendSms:
            ["PhoneNumbers", "SignName", "TemplateCode", "TemplateParam", "SmsUpExtendCode", "OutId"]
        case .querySendDetails:
            ["PhoneNumber", "SendDate", "PageSize", "CurrentPage", "BizId"]
        case .querySendStatistics:
            ["IsGlobe", "StartDate", "EndDate", "PageIndex", "PageSize", "TemplateType", "SignName"]
        case .querySmsTemplate, .getSmsTemplate: ["TemplateCode"]
        case .querySmsSign, .getSmsSign: ["SignName"]
        case .queryTokenForMnsQueue: ["MessageType", "QueueName"]
        case .querySmsTemplateList, .querySmsSignList: ["PageIndex", "PageSize"]
        }
    }

    private static let parametersByAction = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0, Set($0.parameters + commonParameters)) }
    )

    /// Whether the call has a parameter of a name.
    func knows(_ parameter: String) -> Bool {
        Self.parametersByAction[self]?.contains(parameter) == true
    }
}
