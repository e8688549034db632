// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import Testing

struct AnswerDecoderTests {
    static let accepted = """
        {"Message":"OK","RequestId":"2184201F-BFB3-446B-B1F2-C746B7BF0657","BizId":"197703245997295588^0","Code":"OK"}
        """

    func decode(_ body: String, status: Int = 200, retryAfter: Int? = nil) throws -> Answer {
        var decoder = AnswerDecoder()
        return try decoder.decode(status: status, retryAfterMilliseconds: retryAfter, body: body.utf8.span)
    }

    @Test func `reads an acceptance`() throws {
        #expect(
            try decode(Self.accepted)
                == Answer(
                    codeClass: .success,
                    code: "OK",
                    message: "OK",
                    bizID: "197703245997295588^0",
                    requestID: "2184201F-BFB3-446B-B1F2-C746B7BF0657",
                )
        )
    }

    @Test func `reads a refusal by the service`() throws {
        let body = """
            {"Message":"\\u89e6发分钟级流控Permits:1","RequestId":"4029","Code":"isv.BUSINESS_LIMIT_CONTROL"}
            """
        #expect(
            try decode(body)
                == Answer(
                    codeClass: .message,
                    code: "isv.BUSINESS_LIMIT_CONTROL",
                    message: "触发分钟级流控Permits:1",
                    requestID: "4029",
                )
        )
    }

    @Test(arguments: [
        "with blank", "isv.手机", "a\\nb", "a\\u001b[31m", "\\u0000", "a13800000001", String(repeating: "a", count: 101),
    ])
    func `repeats no code and no id that cannot be one`(text: String) throws {
        #expect(throws: UnreadableAnswer.self) { try decode(#"{"Code":"\#(text)","RequestId":"R"}"#, status: 400) }
        let answer = try decode(#"{"Code":"New.Code","RequestId":"\#(text)\u0020"}"#, status: 400)
        #expect(answer.requestID == nil)
        // Without an id it may be that of something on the way.
        #expect(answer.codeClass == .ambiguous)
    }

    @Test func `reads a refusal by the gateway with members that it does not know`() throws {
        let body = """
             {"RequestId" : "A", "HostId":"dysmsapi.aliyuncs.com", "AccessDeniedDetail":{"Code":"inner","a":[1,{}]},
              "Code":"Forbidden.RAM", "Message":"User not authorized", "Recommend":"https://x", "BizId":null}
            """
        #expect(
            try decode(body, status: 403)
                == Answer(
                    codeClass: .credentials,
                    code: "Forbidden.RAM",
                    message: "User not authorized",
                    requestID: "A",
                )
        )
    }

    @Test func `finds members whose names are escaped or begin with a small letter`() throws {
        #expect(try decode(#"{"\u0043ode":"OK"}"#).code == "OK")
        #expect(try decode(#"{"code":"InvalidVersion","message":"m"}"#, status: 400).message == "m")
        #expect(try decode(#"{"code":"OK","Code":"OK"}"#).codeClass == .success)
    }

    @Test(arguments: [
        // A BizId wins over everything.
        (#"{"Code":"isp.SYSTEM_ERROR","BizId":"1^0"}"#, 200, nil, CodeClass.success),
        (#"{"Code":"InternalError","BizId":"1^0"}"#, 500, 1, .success),
        (#"{"BizId":"1^0"}"#, 200, nil, .success),
        (#"{"Code":"Throttling.User","BizId":"1^0","BizId":null}"#, 400, 1, .success),
        (#"{"code":"Throttling.User","bizId":"1^0"}"#, 429, nil, .success),
        (#"{"Code":"Throttling.User","code":"OK","BizId":{},"bizId":1}"#, 200, nil, .success),
        (#"{"Code":"isv.NEW","BizId":""}"#, 200, nil, .batch),
        (#"{"Code":"isv.NEW","BizId":null}"#, 200, nil, .batch),
        // A 5xx stays open.
        (#"{"Code":"ServiceUnavailable"}"#, 503, nil, .ambiguous),
        (#"{"Code":"ServiceUnavailable"}"#, 503, 500, .ambiguous),
        (#"{"Code":"Throttling"}"#, 503, 500, .ambiguous),
        (#"{"Code":"isv.AMOUNT_NOT_ENOUGH"}"#, 500, nil, .ambiguous),
        // A wait marks throttling.
        (#"{"Code":"New"}"#, 400, 1, .throttle),
        (#"{"Code":"InvalidParameter"}"#, 429, 1, .throttle),
        (#"{"Code":"SignatureNonceUsed"}"#, 400, 1, .ambiguous),
        (#"{"Code":"isp.SYSTEM_ERROR"}"#, 400, 1, .ambiguous),
        (#"{"Code":"OK"}"#, 200, 1, .success),
        (#"{"Code":"isv.AMOUNT_NOT_ENOUGH"}"#, 200, 1, .account),
        (#"{"Code":"New","RequestId":"R"}"#, 400, 0, .unknownRefusal),
        (#"{"Code":"New","RequestId":"R"}"#, 400, -1, .unknownRefusal),
        // Else the table.
        (#"{"Code":"Throttling.User"}"#, 400, nil, .throttle),
        (#"{"Code":"InvalidTimeStamp.Expired"}"#, 400, nil, .stale),
        (#"{"Code":"SignatureDoesNotMatch"}"#, 400, nil, .credentials),
        (#"{"Code":"InvalidAccessKeyId.NotFound"}"#, 404, nil, .credentials),
        (#"{"Code":"New","RequestId":"R"}"#, 418, nil, .unknownRefusal),
        (#"{"Code":"New","RequestId":"R"}"#, 429, nil, .throttle),
        (#"{"Code":"New"}"#, 200, nil, .ambiguous),
        // Something on the way may have answered when the gateway has taken the request.
        (#"{"Code":"Conflict"}"#, 409, nil, .ambiguous),
        (#"{"Code":"TooManyRequests"}"#, 429, nil, .ambiguous),
        (#"{"Code":"Throttling.User","RequestId":"R"}"#, 408, 1, .ambiguous),
        (#"{"Code":"Throttling.User","RequestId":"R"}"#, 499, 1, .ambiguous),
    ])
    func `classes an answer`(_ body: String, _ status: Int, _ retryAfter: Int?, _ expected: CodeClass) throws {
        #expect(try decode(body, status: status, retryAfter: retryAfter).codeClass == expected)
    }

    @Test(arguments: [(1, 1), (60_000, 60_000), (60_001, 60_000), (Int.max, 60_000)])
    func `caps the wait that is asked for`(_ asked: Int, _ kept: Int) throws {
        let answer = try decode(#"{"Code":"Throttling"}"#, status: 429, retryAfter: asked)
        #expect(answer.retryAfter == .milliseconds(kept))
    }

    @Test(arguments: [
        "", "null", "\"OK\"", "[]", "{}", #"{"Code":null}"#, #"{"Code":""}"#, #"{"Code":{"Code":"OK"}}"#,
        #"{"Code":"OK"} x"#, #"{"Code":"OK""#, "<html><h1>502 Bad Gateway</h1></html>",
        "<?xml version='1.0'?><Error><Code>Throttling</Code></Error>",
        "{\"Code\":\"\u{0}\"}",
        // A number is a proxy's, two codes are nobody's, and a receipt that is none may have been one.
        #"{"Code":200}"#, #"{"code":429,"message":"m"}"#, #"{"Code":"OK","Code":"Throttling"}"#,
        #"{"Code":"Throttling","code":"OK"}"#, #"{"Code":"Throttling","code":null}"#,
        "{\"Code\":\"\(String(repeating: "c", count: 513))\",\"RequestId\":\"r\"}",
        "{\"Code\":\"OK\",\"BizId\":\"\(String(repeating: "1", count: 513))\"}",
        #"{"Code":"Throttling","BizId":{"a":"1^0"}}"#, #"{"Code":"Throttling","BizId":true}"#,
    ])
    func `finds other bodies unreadable, whatever the status`(_ body: String) {
        for status in [200, 302, 400, 404, 429, 500, 502, 503] {
            #expect(throws: UnreadableAnswer.self) { try decode(body, status: status, retryAfter: 1) }
        }
    }

    @Test func `finds every cut of an acceptance unreadable`() {
        let body = Array(Self.accepted.utf8)
        var decoder = AnswerDecoder()
        for end in 0..<body.count {
            #expect(throws: UnreadableAnswer.self) {
                try decoder.decode(status: 200, body: body.span.extracting(first: end))
            }
        }
    }

    @Test func `says nothing of the body when it is unreadable`() {
        let error = #expect(throws: UnreadableAnswer.self) { try decode("15000000000", status: 200) }
        #expect(error.map { "\($0)".contains("15000000000") } == false)
    }

    @Test(arguments: SignatureScheme.allCases)
    func `puts an explanation in the place of a refusal that repeats the request`(_ scheme: SignatureScheme) throws {
        var signer = RequestSigner(
            scheme: scheme,
            credentials: Credentials(accessKeyID: "testid", accessKeySecret: Secret("testsecret")),
        )
        let call = Call(.sendBatchSms, form: parameters(["PhoneNumberJson": "[\"15000000000\"]"]))
        let request = signer.sign(call, host: "localhost", at: 0, nonce: Nonce(high: 1, low: 2))
        var body = Array(#"{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:"#.utf8)
        JSONText.appendEscaped(request.evidence.stringToSign.span, to: &body)
        body.append(contentsOf: "\"}".utf8)

        var decoder = AnswerDecoder()
        let answer = try decoder.decode(status: 400, body: body.span, evidence: request.evidence)
        #expect(answer.message == SignatureDiagnosis.secretDiffers.explanation)
        let withoutRequest = try decoder.decode(status: 400, body: body.span)
        #expect(withoutRequest.message == SignatureDiagnosis.unknown.explanation)
    }

    @Test func `cuts a long text between two characters`() throws {
        let long = String(repeating: "云", count: 1_000)
        let answer = try decode("{\"Code\":\"isv.NEW\",\"Message\":\"\(long)\"}")
        #expect(answer.message == String(repeating: "云", count: AnswerDecoder.maximumMessageBytes / 3))
    }
}
