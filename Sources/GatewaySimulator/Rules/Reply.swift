// SPDX-License-Identifier: Apache-2.0

/// The answer to one call while it is being made.
struct Reply {
    private let call: ReceivedCall
    /// When the call came.
    let time: WallTime
    /// The gateway's id of the call.
    let requestID: String
    /// The fault that befalls it.
    var fault: Fault?
    /// Why it was refused, if it was.
    private var refusal: Refusal?
    /// The receipt id, if messages were taken.
    var bizID: String?
    /// The messages that fail although the others were taken.
    var culprits: [SendJudgement.Culprit] = []
    /// What the answer says beside code, message and request id.
    var members: [(name: String, value: AnswerValue)] = []

    init(_ call: ReceivedCall, at time: WallTime, requestID: String) {
        self.call = call
        self.time = time
        self.requestID = requestID
    }

    /// Makes it a refusal.
    mutating func refuse(_ refusal: Refusal) {
        self.refusal = refusal
    }

    /// What is remembered of the call.
    var record: RequestRecord {
        RequestRecord(
            time: time,
            requestID: requestID,
            request: call.request,
            action: call.signature?.action ?? "",
            accessKeyID: call.signature?.accessKeyID ?? "",
            code: refusal?.code ?? "OK",
            message: refusal?.message ?? "OK",
            status: refusal?.status ?? 200,
            bizID: bizID,
            fault: fault?.text,
            ignoredParameters: call.ignoredParameters,
            outID: call.send.flatMap { send in send.outID.map(send.text) },
            send: bizID == nil ? nil : call.send,
            culprits: culprits,
        )
    }

    /// The answer on the wire.
    ///
    /// Source of its members: api 3.2, 6.1 and 10.
    func answer(after delay: Duration) -> SimulatedAnswer {
        var answer = SimulatedAnswer(
            status: refusal?.status ?? 200,
            headers: [
                HeaderField("content-type", call.format.contentType), HeaderField("x-acs-request-id", requestID),
            ],
            body: body,
            delay: delay,
        )
        if let retryAfter = refusal?.retryAfter {
            let milliseconds = max(1, Int((retryAfter / .milliseconds(1)).rounded(.up)))
            answer.headers.append(HeaderField("x-acs-retry-after", String(milliseconds)))
        }
        switch fault {
        case .dropBefore, .dropAfter: answer.delivery = .dropped
        case .stall: answer.delivery = .stalled
        case .truncate: answer.delivery = .truncated
        case .garbage: answer.body = Array("<html><body>\u{FFFD} upstream connect error {\"Code\":</body>".utf8)
        case .error, .unavailable, nil: break
        }
        return answer
    }

    private var body: [UInt8] {
        guard let refusal else {
            let common: [(name: String, value: AnswerValue)] = [
                ("Message", .string("OK")), ("RequestId", .string(requestID)), ("Code", .string("OK")),
            ]
            let receipt: [(name: String, value: AnswerValue)] = bizID.map { [("BizId", .string($0))] } ?? []
            return AnswerValue.members(common + receipt + members).encoded(as: call.format, root: root)
        }
        guard refusal.isByGateway else {
            let members: [(name: String, value: AnswerValue)] = [
                ("Message", .string(refusal.message)), ("RequestId", .string(requestID)),
                ("Code", .string(refusal.code)),
            ]
            return AnswerValue.members(members).encoded(as: call.format, root: root)
        }
        let help = "https://next.api.aliyun.com/troubleshoot?q=\(refusal.code)&product=Dysmsapi"
        let members: [(name: String, value: AnswerValue)] = [
            ("RequestId", .string(requestID)), ("HostId", .string("dysmsapi.aliyuncs.com")),
            ("Code", .string(refusal.code)), ("Message", .string(refusal.message)), ("Recommend", .string(help)),
        ]
        return AnswerValue.members(members).encoded(as: call.format, root: "Error")
    }

    /// In XML the root element is named after the action.
    ///
    /// Source: api 3.2.
    private var root: String { "\(call.action?.rawValue ?? "")Response" }
}
