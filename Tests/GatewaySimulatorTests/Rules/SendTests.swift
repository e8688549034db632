// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Testing

/// Sends against the pure rules and over HTTP.
@Suite struct SendTests {
    @Test(arguments: GatewayKind.allCases)
    func `takes a batch however it is signed and placed`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            for scheme in SignedCall.Scheme.allCases {
                for placement in SignedCall.Placement.allCases {
                    let call = SignedCall.batch().with { ($0.scheme, $0.placement) = (scheme, placement) }
                    let answer = try await gateway.answer(call)
                    #expect(answer.status == 200)
                    #expect(answer.member("Code") == "OK", "\(scheme) \(placement): \(answer.text)")
                    #expect(answer.header("content-type") == "application/json;charset=utf-8")
                    let isBizID = answer.member("BizId")?.wholeMatch(of: /[0-9]{18}\^0/) != nil
                    let isRequestID =
                        answer.member("RequestId")?.wholeMatch(of: /[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}/) != nil
                    #expect(isBizID && isRequestID)
                }
            }
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `takes a batch by GET and a single send`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            let get = SignedCall.batch().with { ($0.method, $0.placement) = ("GET", .query) }
            #expect(try await gateway.code(get) == "OK")
            let single = SignedCall(
                "SendSms",
                [
                    ("PhoneNumbers", "15000000000,15000000001"), ("SignName", "Acme"), ("TemplateCode", "SMS_1"),
                    ("TemplateParam", "{\"code\":\"1234\"}"),
                ],
            )
            #expect(try await gateway.code(single) == "OK")
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `answers a refusal by the gateway with its status and members`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            let answer = try await gateway.answer(SignedCall.batch().with { $0.accessKeySecret = "wrong" })
            #expect(answer.status == 400)
            #expect(answer.member("Code") == "SignatureDoesNotMatch")
            #expect(answer.member("Message")?.contains("server StringToSign is [ACS3-HMAC-SHA256\n") == true)
            #expect(answer.member("HostId") == "dysmsapi.aliyuncs.com")
            #expect(answer.member("Recommend")?.hasPrefix("https://") == true)
            #expect(answer.member("RequestId") != nil)
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `answers a refusal by the service with 200 and without a receipt id`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            let answer = try await gateway.answer(.batch(["12"]))
            #expect(answer.status == 200)
            #expect(Set(answer.json.keys) == ["Code", "Message", "RequestId"])
            #expect(answer.member("Code") == "isv.MOBILE_NUMBER_ILLEGAL")
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var code: String
        var call: SignedCall
        var testDescription: String { name }

        init(_ name: String, _ code: String, _ call: SignedCall) {
            (self.name, self.code, self.call) = (name, code, call)
        }
    }

    static let gatewayCases: [Case] = [
        Case("unknown key", "InvalidAccessKeyId.NotFound", .batch().with { $0.accessKeyID = "nobody" }),
        Case("old time", "InvalidTimeStamp.Expired", .batch().with { $0.time = $0.time + .seconds(-901) }),
        Case("future time", "InvalidTimeStamp.Expired", .batch().with { $0.time = $0.time + .seconds(901) }),
        Case("time in the window", "OK", .batch().with { $0.time = $0.time + .seconds(-899) }),
        Case("milliseconds", "InvalidTimeStamp.Format", .batch().with { $0.timestamp = "2024-03-01T08:00:00.000Z" }),
        Case("no such day", "InvalidTimeStamp.Format", .batch().with { $0.timestamp = "2024-02-30T08:00:00Z" }),
        Case("wrong action", "InvalidAction.NotFound", .batch().with { $0.action = "SendLetter" }),
        Case("wrong version", "InvalidVersion", .batch().with { $0.version = "2018-05-01" }),
        Case("no version", "MissingVersion", .batch().with { $0.version = "" }),
        Case("wrong method", "UnsupportedHTTPMethod", .batch().with { $0.method = "PUT" }),
        Case(
            "a token too many",
            "InvalidSecurityToken.MismatchWithAccessKey",
            .batch().with { $0.securityToken = "x" }
        ),
        Case("no numbers", "MissingPhoneNumberJson", .batch().setting("PhoneNumberJson", nil)),
        Case("no sign names", "MissingSignNameJson", .batch().setting("SignNameJson", nil)),
        Case("no template", "MissingTemplateCode", .batch().setting("TemplateCode", nil)),
        Case("unknown parameter", "OK", .batch().setting("TemplateParam", "{}")),
    ]

    @Test(arguments: gatewayCases, SignedCall.Scheme.allCases)
    func `checks what a gateway checks`(test: Case, scheme: SignedCall.Scheme) async throws {
        let call = test.call.with { $0.scheme = scheme }
        #expect(try await RulesGateway(TestAccount.configuration).code(call) == test.code)
    }

    static let serviceCases: [Case] = [
        Case("numbers are no JSON", "isv.INVALID_JSON_PARAM", .batch().setting("PhoneNumberJson", "15000000000")),
        Case("numbers are numbers", "isv.INVALID_JSON_PARAM", .batch().setting("PhoneNumberJson", "[15000000000,1]")),
        Case("no number", "isv.INVALID_PARAMETERS", .batch([])),
        Case("101 numbers", "isv.MOBILE_COUNT_OVER_LIMIT", .batch((0..<101).map { "\(15_000_000_000 + $0)" })),
        Case("100 numbers", "OK", .batch((0..<100).map { "\(15_000_000_000 + $0)" })),
        Case("fewer sign names", "isv.INVALID_PARAMETERS", .batch().setting("SignNameJson", "[\"Acme\"]")),
        Case("fewer values", "isv.INVALID_PARAMETERS", .batch().setting("TemplateParamJson", "[{}]")),
        Case("fewer extension codes", "isv.INVALID_PARAMETERS", .batch().setting("SmsUpExtendCodeJson", "[\"1\"]")),
        Case("values are strings", "isv.INVALID_JSON_PARAM", .batch().setting("TemplateParamJson", "[\"{}\",\"{}\"]")),
        Case("a number as value", "isv.INVALID_JSON_PARAM", .batch().setting("TemplateParamJson", "[{\"c\":1},{}]")),
        Case(
            "36 characters",
            "isv.PARAM_LENGTH_LIMIT",
            .batch(["15000000000"], values: [String(repeating: "码", count: 36)])
        ),
        Case("35 characters", "OK", .batch(["15000000000"], values: [String(repeating: "码", count: 35)])),
        Case("an empty value", "isv.PARAM_LENGTH_LIMIT", .batch(["15000000000"], values: [""])),
        Case("a URL", "isv.PARAM_NOT_SUPPORT_URL", .batch(["15000000000"], values: ["see http://a.cn"])),
        Case("a domain", "isv.PARAM_NOT_SUPPORT_URL", .batch(["15000000000"], values: ["t.cn/abc"])),
        Case("an IP address", "isv.PARAM_NOT_SUPPORT_URL", .batch(["15000000000"], values: ["192.168.0.1"])),
        Case("a sum", "OK", .batch(["15000000000"], values: ["1.250,50"])),
        Case("a number with zeros", "OK", .batch(["15000000000"], values: ["01.02.03.04"])),
        Case("a file", "OK", .batch(["15000000000"], values: ["main.cc e.g. 1..2"])),
        Case("a mail address", "OK", .batch(["15000000000"], values: ["a.b@c.com"])),
        Case("an emoji", "isv.UNSUPPORTED_CONTENT", .batch(["15000000000"], values: ["😀"])),
        Case("traditional Chinese", "isv.UNSUPPORTED_CONTENT", .batch(["15000000000"], values: ["我們"])),
        Case("more of it", "isv.UNSUPPORTED_CONTENT", .batch(["15000000000"], values: ["體驗"])),
        Case("no SMS_ template", "isv.SMS_TEMPLATE_ILLEGAL", .batch(templateCode: "TPL_1")),
        Case("a blank in the sign name", "isv.SMS_SIGNATURE_ILLEGAL", .batch(signName: "Ac me")),
        Case("letters in a number", "isv.MOBILE_NUMBER_ILLEGAL", .batch(["1500000000a"])),
        Case("a blank in a number", "isv.MOBILE_NUMBER_ILLEGAL", .batch(["852 00000000"])),
        Case("an escaped number", "OK", .batch(["\\u00315000000000"])),
        Case("a long OutId", "isv.PARAM_LENGTH_LIMIT", .batch(outID: String(repeating: "o", count: 256))),
        Case("an OutId that fits", "OK", .batch(outID: String(repeating: "批", count: 255))),
        Case(
            "a bad extension code",
            "isv.CODE_ERROR",
            .batch(["15000000000"]).setting("SmsUpExtendCodeJson", "[\"x\"]")
        ),
        Case(
            "one extension code for two sign names",
            "isv.EXTEND_CODE_ERROR",
            .batch().setting("SignNameJson", "[\"A\",\"B\"]").setting("SmsUpExtendCodeJson", "[\"1\",\"1\"]")
        ),
    ]

    @Test(arguments: serviceCases)
    func `checks what the service checks`(test: Case) async throws {
        #expect(try await RulesGateway(TestAccount.configuration).code(test.call) == test.code)
    }

    @Test(arguments: [
        "15000000000", "+15000000000", "8615000000000", "+8615000000000", "008615000000000", "85200000000",
    ])
    func `takes every form of a number`(number: String) async throws {
        #expect(try await RulesGateway(TestAccount.configuration).code(.batch([number])) == "OK")
    }

    @Test(arguments: GatewayKind.allCases, SignedCall.Scheme.allCases)
    func `refuses a nonce that was used`(kind: GatewayKind, scheme: SignedCall.Scheme) async throws {
        try await withGateway(kind) { gateway async throws in
            let call = SignedCall.batch().with { ($0.nonce, $0.scheme) = ("once", scheme) }
            #expect(try await gateway.code(call) == "OK")
            #expect(try await gateway.code(call) == "SignatureNonceUsed")
            gateway.advance(by: .seconds(600))
            #expect(try await gateway.code(call) == "SignatureNonceUsed")
        }
    }

    @Test(arguments: MagicNumbers.all.map(\.number))
    func `treats a magic number as the help says`(number: String) async throws {
        let entry = try #require(MagicNumbers.all.first { $0.number == number })
        let code = try await RulesGateway(TestAccount.configuration).code(.batch(["15000000000", number]))
        #expect(code == entry.state.refusal ?? "OK")
    }

    @Test(arguments: GatewayKind.allCases)
    func `can fail one message and take the others`(kind: GatewayKind) async throws {
        var configuration = TestAccount.configuration
        configuration.badElement = .failOne
        try await withGateway(kind, configuration) { gateway async throws in
            #expect(try await gateway.code(.batch(["15000000000", "19999000003"])) == "OK")
            let details = try await gateway.answer(.details("19999000003")).details
            #expect(details.first?["SendStatus"] as? Int == 2)
            #expect(details.first?["ErrCode"] as? String == "isv.BLACK_KEY_CONTROL_LIMIT")
            #expect(try await gateway.code(.batch(["19999000003"])) == "isv.BLACK_KEY_CONTROL_LIMIT")
        }
    }
}
