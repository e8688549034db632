// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import Testing

struct QueueRequestsTests {
    private static let queue: QueueName = {
        guard let name = QueueName("Alicom-Queue-1092397003988387-SmsReport") else { preconditionFailure("no name") }
        return name
    }()
    private static let host = "1943695596114318.mns.cn-hangzhou.aliyuncs.com"
    /// 2024-03-01T08:00:00Z, the time of the vectors.
    private static let epochSeconds = 1_709_280_000

    private static func signer() -> QueueSigner {
        QueueSigner(
            credentials: Credentials(
                accessKeyID: "testid",
                accessKeySecret: Secret("testsecret"),
                securityToken: Secret("CAIS+token/with=chars&and~tilde"),
            )
        )
    }

    @Test func `a request for messages is that of the official client`() throws {
        var signer = Self.signer()
        let request = QueueRequests.receive(
            from: Self.queue,
            count: 16,
            waitSeconds: 5,
            signer: &signer,
            host: Self.host,
            at: Self.epochSeconds,
        )
        let head = String(decoding: request.head, as: UTF8.self)
        let vector = try #require(SigningVectors.allQueue.first { $0.method == "GET" })
        #expect(head.hasPrefix("GET \(vector.resource) HTTP/1.1\r\nhost: \(Self.host)\r\n"))
        #expect(head.contains("\r\nauthorization: \(vector.authorization)\r\n"))
        #expect(head.contains("\r\nsecurity-token: CAIS+token/with=chars&and~tilde\r\n"))
        #expect(head.hasSuffix("\r\ncontent-length: 0\r\n\r\n") && request.body.isEmpty)
    }

    @Test func `a deletion is that of the official client, byte for byte`() throws {
        var signer = Self.signer()
        let vector = try #require(SigningVectors.allQueue.first { $0.method == "DELETE" })
        let request = QueueRequests.delete(
            ["1-ODU4OTkzNDU5My0xNDMyNzI3ODI3LTItOA==", "1-ODU4OTkzNDU5My0xNDMyNzI3ODI3LTItOQ=="],
            from: Self.queue,
            signer: &signer,
            host: Self.host,
            at: Self.epochSeconds,
        )
        let head = String(decoding: request.head, as: UTF8.self)
        #expect(String(decoding: request.body, as: UTF8.self) == vector.body)
        #expect(head.contains("\r\nauthorization: \(vector.authorization)\r\n"))
        #expect(head.contains("\r\ncontent-length: \(request.body.count)\r\n"))
    }

    @Test func `handles are escaped as XML wants it`() {
        var signer = Self.signer()
        let request = QueueRequests.delete(["a&<b>\"'"], from: Self.queue, signer: &signer, host: "h", at: 0)
        #expect(
            String(decoding: request.body, as: UTF8.self)
                .contains("<ReceiptHandle>a&amp;&lt;b&gt;&quot;&apos;</ReceiptHandle>")
        )
    }

    private static func received(_ status: Int, _ body: String) -> QueueRequests.Answer {
        QueueRequests.Answer(received: status, Array(body.utf8).span)
    }

    @Test func `messages are read`() {
        let body = """
            <?xml version="1.0" ?>
            <Messages xmlns="http://mns.aliyuncs.com/doc/v1/">
              <Message><MessageId>5F29</MessageId><ReceiptHandle>1-a&amp;b==</ReceiptHandle><MessageBodyMD5>X</MessageBodyMD5>
                <MessageBody>eyJhIjoi5L2gIn0=</MessageBody><DequeueCount>1</DequeueCount></Message>
              <Message><ReceiptHandle>2</ReceiptHandle><MessageBody>no base64!</MessageBody></Message>
              <Message><ReceiptHandle>3</ReceiptHandle></Message>
            </Messages>
            """
        #expect(
            Self.received(200, body)
                == .messages([
                    QueueMessage(id: "5F29", handle: "1-a&b==", body: Array("{\"a\":\"你\"}".utf8)),
                    QueueMessage(handle: "2", body: nil), QueueMessage(handle: "3", body: nil),
                ])
        )
    }

    @Test(
        arguments: [
            (404, "<Error><Code>MessageNotExist</Code></Error>", QueueRequests.Answer.messages([])),
            (
                404, "<?xml version=\"1.0\"?><Error xmlns=\"x\"><Code>QueueNotExist</Code></Error>",
                .refused(code: "QueueNotExist")
            ),
            (403, "<Error><Code>InvalidSecurityToken</Code></Error>", .refused(code: "InvalidSecurityToken")),
            (403, "<Error><Code>13800000001</Code></Error>", .unreadable),
            (403, "<Error><Code></Code></Error>", .unreadable),
            (502, "<html>Bad Gateway</html>", .unreadable), (200, "<html></html>", .unreadable), (200, "", .unreadable),
            (200, "<Messages></Messages>", .messages([])),
            (200, "<Messages><Message><ReceiptHandle></ReceiptHandle></Message></Messages>", .unreadable),
            (200, "<Messages><Message><ReceiptHandle>1</ReceiptHandle>", .unreadable),
        ] as [(Int, String, QueueRequests.Answer)]
    )
    func `what is no message is told apart`(status: Int, body: String, answer: QueueRequests.Answer) {
        #expect(Self.received(status, body) == answer)
    }

    @Test(
        arguments: [
            (204, "", QueueRequests.Answer.deleted), (200, "", .deleted),
            (404, "<Errors><Error><ErrorCode>ReceiptHandleError</ErrorCode></Error></Errors>", .deleted),
            (403, "<Error><Code>InvalidSecurityToken</Code></Error>", .refused(code: "InvalidSecurityToken")),
            (500, "x", .unreadable),
        ] as [(Int, String, QueueRequests.Answer)]
    )
    func `what became of a deletion is told apart`(status: Int, body: String, answer: QueueRequests.Answer) {
        #expect(QueueRequests.Answer(deleted: status, Array(body.utf8).span) == answer)
    }

    // MARK: - Tokens

    @Test func `a token is asked for with the kind and the queue`() {
        let call = Call.queryTokenForMnsQueue(Self.queue)
        #expect(call.action.name == "QueryTokenForMnsQueue")
        #expect(
            String(decoding: call.query.bytes, as: UTF8.self)
                == "MessageType=SmsReport&QueueName=Alicom-Queue-1092397003988387-SmsReport"
        )
    }

    private static func token(_ times: String, status: Int = 200) throws -> QueueToken.Result {
        let body = """
            {"Code":"OK","Message":"OK","RequestId":"R","MessageTokenDTO":{"AccessKeyId":"STS.x","AccessKeySecret":"s",
            "SecurityToken":"CAIS"\(times)}}
            """
        return try QueueToken.decode(status: status, body: Array(body.utf8).span)
    }

    @Test(arguments: [
        (#","CreateTime":"2026-11-30 09:00:00","ExpireTime":"2026-11-30 09:10:00""#, 600),
        (#","CreateTime":"2026-11-30 23:59:00","ExpireTime":"2026-12-01 00:29:00""#, 1800),
        (#","CreateTime":"2026-11-30 09:00:00","ExpireTime":"2026-11-30 08:00:00""#, 600), ("", 600),
        (#","CreateTime":"soon","ExpireTime":"later""#, 600),
    ])
    func `a token lives as long as its own times say`(times: String, lifetime: Int) throws {
        guard case .token(let token) = try Self.token(times) else {
            Issue.record("no token")
            return
        }
        #expect(token.lifetime == lifetime)
        #expect(token.credentials.accessKeyID == "STS.x" && token.credentials.securityToken?.revealed == "CAIS")
    }

    @Test func `a refusal of a token is an answer, and what has none cannot be read`() throws {
        let refusal = #"{"Code":"Forbidden.RAM","Message":"m","RequestId":"R"}"#
        guard case .refused(let answer) = try QueueToken.decode(status: 403, body: Array(refusal.utf8).span) else {
            Issue.record("not refused")
            return
        }
        #expect(answer.codeClass == .credentials)
        for body in [#"{"Code":"OK"}"#, #"{"Code":"OK","MessageTokenDTO":{"AccessKeyId":"a"}}"#, "x"] {
            #expect(throws: UnreadableAnswer.self) { try QueueToken.decode(status: 200, body: Array(body.utf8).span) }
        }
    }

    @Test(
        arguments: [
            ("", ""), ("Zg==", "f"), ("Zg", "f"), ("Zm8=", "fo"), ("Zm8", "fo"), ("Zm9v", "foo"),
            ("Zm9v\r\nYg==", "foob"),
            ("Zg=", nil), ("Z", nil), ("Zm9v=", nil), ("Zm9v====", nil), ("Zm 9v", "foo"), ("Zm9*", nil),
            ("Zg==Zg==", nil),
        ] as [(String, String?)]
    )
    func `Base64 is read as it is written`(text: String, bytes: String?) {
        #expect(Base64.decode(text.utf8.span) == bytes.map { Array($0.utf8) })
    }
}
