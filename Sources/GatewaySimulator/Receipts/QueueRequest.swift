// SPDX-License-Identifier: Apache-2.0

/// A request to a queue of receipts: `GET` or `DELETE /queues/NAME/messages`.
///
/// Source: api 5.2.
struct QueueRequest: Sendable {
    enum Kind: Equatable, Sendable { case report, reply }

    enum Action: Equatable, Sendable {
        case receive(Int)
        case delete([String])
    }

    /// Which queue, by the end of its name.
    let kind: Kind
    /// What is asked.
    let action: Action
    /// How long to wait for a message.
    let wait: Duration
    /// Whose secret signed it.
    let accessKeyID: String
    /// The token that goes with the key.
    let securityToken: String?
    private let signature: [UInt8]
    private let stringToSign: [UInt8]

    /// Reads a request; `nil` for one that no queue understands.
    init?(_ request: SimulatedRequest) {
        let parts = request.path.split(separator: "/")
        guard parts.count == 3, parts[0] == "queues", parts[2] == "messages",
            let parameters = try? request.queryParameters(),
            let authorization = request.header("authorization"), authorization.hasPrefix("MNS "),
            let colon = authorization.lastIndex(of: ":")
        else { return nil }
        kind = parts[1].hasSuffix("SmsUp") ? .reply : .report
        accessKeyID = String(authorization[..<colon].dropFirst(4))
        signature = Array(authorization[authorization.index(after: colon)...].utf8)
        securityToken = request.header("security-token")
        stringToSign = Self.stringToSign(request)
        switch request.method {
        case "GET":
            let count = parameters.text(of: "numOfMessages").flatMap { Int($0) } ?? 1
            let seconds = parameters.text(of: "waitseconds").flatMap { Int($0) } ?? 0
            guard (1...16).contains(count), (0...30).contains(seconds) else { return nil }
            action = .receive(count)
            wait = .seconds(seconds)
        case "DELETE":
            let single = parameters.text(of: "ReceiptHandle").map { [$0] }
            action = .delete(single ?? Self.handles(in: String(decoding: request.body, as: UTF8.self)))
            wait = .zero
        default: return nil
        }
    }

    /// Whether a secret gives the signature that came; nothing is appended to the secret here.
    ///
    /// Source: api 5.2.
    func matches(secret: String) -> Bool {
        let expected = Digest.hmacSHA1Base64(key: Array(secret.utf8), message: stringToSign.span)
        return Digest.equalInConstantTime(expected.span, signature.span)
    }

    private static func stringToSign(_ request: SimulatedRequest) -> [UInt8] {
        let own = request.headers.map { HeaderField($0.name.lowercased(), $0.value) }
            .filter { $0.name.hasPrefix("x-mns-") }
            .sorted { $0.name < $1.name }
            .map { "\($0.name):\($0.value)\n" }.joined()
        let lines = ["content-md5", "content-type", "date"].map { (request.header($0) ?? "") + "\n" }.joined()
        let resource = String(decoding: request.target, as: UTF8.self)
        return Array("\(request.method)\n\(lines)\(own)\(resource)".utf8)
    }

    /// The texts between `<ReceiptHandle>` and `</ReceiptHandle>`.
    private static func handles(in xml: String) -> [String] {
        xml.split(separator: "<ReceiptHandle>", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstRange(of: "</ReceiptHandle>").map { String(part[..<$0.lowerBound]) }
        }
    }
}

extension SimulatedAnswer {
    /// Messages of a queue as MNS writes them.
    static func queueMessages(_ entries: [ReceiptQueue.Entry]) -> SimulatedAnswer {
        let messages = entries.map { entry -> AnswerValue in
            .members([
                ("MessageId", .string(entry.id)), ("ReceiptHandle", .string(entry.handle)),
                ("MessageBody", .string(String(decoding: entry.body, as: UTF8.self))),
                ("MessageBodyMD5", .string(Digest.md5Hex(entry.body.span))),
                ("EnqueueTime", .integer(Int(entry.enqueueTime.milliseconds))),
                ("NextVisibleTime", .integer(Int(entry.nextVisibleTime.milliseconds))),
                ("FirstDequeueTime", .integer(Int(entry.firstDequeueTime.milliseconds))),
                ("DequeueCount", .integer(entry.dequeueCount)), ("Priority", .integer(8)),
            ])
        }
        let body = AnswerValue.list(messages, element: "Message").encoded(as: .xml, root: "Messages")
        return SimulatedAnswer(
            status: 200,
            headers: [HeaderField("content-type", "text/xml;charset=utf-8")],
            body: body
        )
    }

    /// What is wrong with some of the handles of a deletion, as MNS writes it.
    static func queueErrors(_ handles: [String], _ code: String, _ message: String) -> SimulatedAnswer {
        let errors = handles.map { handle -> AnswerValue in
            .members([
                ("ErrorCode", .string(code)), ("ErrorMessage", .string(message)), ("ReceiptHandle", .string(handle)),
            ])
        }
        return SimulatedAnswer(
            status: 404,
            headers: [HeaderField("content-type", "text/xml;charset=utf-8")],
            body: AnswerValue.list(errors, element: "Error").encoded(as: .xml, root: "Errors"),
        )
    }

    /// An error of a queue as MNS writes it.
    static func queueProblem(_ status: Int, _ code: String, _ message: String, _ requestID: String) -> SimulatedAnswer {
        let error = AnswerValue.members([
            ("Code", .string(code)), ("Message", .string(message)), ("RequestId", .string(requestID)),
            ("HostId", .string("http://mns.cn-hangzhou.aliyuncs.com")),
        ])
        return SimulatedAnswer(
            status: status,
            headers: [HeaderField("content-type", "text/xml;charset=utf-8")],
            body: error.encoded(as: .xml, root: "Error"),
        )
    }
}
