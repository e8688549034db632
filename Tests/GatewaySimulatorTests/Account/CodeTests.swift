// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import GatewaySimulator
import Testing

/// Every code of the service, provoked by a rule where one is known and else by a fault.
@Suite struct CodeTests {
    /// An account in which every rule can be broken, and a call that breaks one.
    struct Case: Sendable, CustomTestStringConvertible {
        var code: String
        var call: SignedCall
        var change: @Sendable (inout SimulatedAccount) -> Void
        var testDescription: String { code }

        init(
            _ code: String,
            _ call: SignedCall = CodeTests.notice(),
            _ change: @escaping @Sendable (inout SimulatedAccount) -> Void = { _ in },
        ) {
            (self.code, self.call, self.change) = (code, call, change)
        }
    }

    static func notice(_ number: String = "15000000000", value: String = "1234", signName: String = "general")
        -> SignedCall
    {
        .batch([number], templateCode: "SMS_notice", signName: signName, values: [value])
    }

    static func call(
        _ template: String,
        value: String = "1234",
        signName: String = "general",
        number: String = "15000000000"
    )
        -> SignedCall
    {
        .batch([number], templateCode: "SMS_\(template)", signName: signName, values: [value])
    }

    static var account: SimulatedAccount {
        var account = SimulatedAccount(accessKeys: [
            TestAccount.accessKeyID: AccessKey(secret: TestAccount.accessKeySecret)
        ])
        var signNames: [String: SignName] = [:]
        for kind in SignName.Kind.allCases {
            var signName = SignName()
            signName.kind = kind
            signNames[kind.rawValue] = signName
        }
        for state in SignName.State.allCases where state != .approved {
            var signName = SignName()
            signName.state = state
            signNames[state.rawValue] = signName
        }
        account.signNames = signNames
        var templates: [String: Template] = [:]
        for kind in Template.Kind.allCases {
            templates["SMS_\(kind.rawValue)"] = Template(name: "t", content: "值${code}", kind: kind)
        }
        templates["SMS_test"] = Template(name: "t", content: "${code}", kind: .code)
        templates["SMS_test"]?.isTest = true
        templates["SMS_two"] = Template(name: "t", content: "${code}${other}", kind: .code)
        templates["SMS_money"] = Template(name: "t", content: "${code}", kind: .notice)
        templates["SMS_money"]?.attributes = ["code": .money]
        templates["SMS_sale"] = Template(name: "t", content: "打折${code}", kind: .notice)
        templates["SMS_review"] = Template(name: "t", content: "${code}", kind: .notice)
        templates["SMS_review"]?.state = .inReview
        account.templates = templates
        account.promotionWords = ["打折"]
        account.forbiddenWords = ["违禁"]
        var blocked = NumberState()
        blocked.refusal = "isv.BLACK_KEY_CONTROL_LIMIT"
        var optedOut = NumberState()
        optedOut.promotionRefusal = "isv.CUSTOMER_REFUSED"
        account.numbers = ["15000000001": blocked, "15000000002": optedOut]
        return account
    }

    static let byRule: [Case] = [
        Case("OK"),
        Case("isp.RAM_PERMISSION_DENY") { $0.accessKeys[TestAccount.accessKeyID]?.state = .unauthorized },
        Case("isv.OUT_OF_SERVICE") { $0.standing = .overdue },
        Case("isv.AMOUNT_NOT_ENOUGH") { $0.balance = 0 },
        Case("isv.PRODUCT_UN_SUBSCRIPT") { $0.standing = .noCommunicationProduct },
        Case("isv.PRODUCT_UNSUBSCRIBE") { $0.standing = .notSubscribed },
        Case("isv.ACCOUNT_NOT_EXISTS") { $0.standing = .missing },
        Case("isv.ACCOUNT_ABNORMAL") { $0.standing = .abnormal },
        Case("isv.SECURITY_FROZEN_ACCOUNT") { $0.standing = .frozen },
        Case("isv.DENY_IP_RANGE") { $0.standing = .foreignAddress },
        Case("isv.DAY_LIMIT_CONTROL") { $0.dayCap = 0 },
        Case("isv.MONTH_LIMIT_CONTROL") { $0.monthCap = 0 },
        Case("isv.SMS_TEMPLATE_ILLEGAL", call("review")),
        Case("isv.SMS_SIGNATURE_ILLEGAL", notice(signName: "in-review")),
        Case("isv.SMS_SIGN_ILLEGAL", notice(signName: "forbidden")),
        Case("isv.SIGN_STATE_ILLEGAL", notice(signName: "unavailable")),
        Case("isv.SIGN_NAME_ILLEGAL", notice(signName: "misnamed")),
        Case("isv.SIGNATURE_BLACKLIST", notice(signName: "blacklisted")),
        Case("SIGNATURE_BLACKLIST", notice(signName: "blacklisted-old")),
        Case("isv.SMS_SIGNATURE_SCENE_ILLEGAL", notice(signName: "code")),
        Case("isv.SMS_TEST_SIGN_TEMPLATE_LIMIT", call("test")),
        Case("isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL", call("test", value: "ab", signName: "test")) { account in
            account.numbers["15000000000"] = NumberState()
            account.numbers["15000000000"]?.isBoundForTests = true
        },
        Case("isv.SMS_TEST_NUMBER_LIMIT", call("test", signName: "test")),
        Case("isv.DOMESTIC_NUMBER_NOT_SUPPORTED", call("international", number: "8615000000000")),
        Case("isv.MOBILE_NUMBER_ILLEGAL", notice("85200000000")),
        Case(
            "isv.MOBILE_COUNT_OVER_LIMIT",
            .batch((0..<101).map { "\(15_000_000_000 + $0)" }, templateCode: "SMS_notice")
        ),
        Case("isv.TEMPLATE_MISSING_PARAMETERS", notice().setting("TemplateParamJson", "[{\"other\":\"1\"}]")),
        Case("isv.TEMPLATE_PARAMS_ILLEGAL", call("money", value: "ten")),
        Case("template_parameter_count_illegal", call("two")),
        Case("isv.INVALID_JSON_PARAM", notice().setting("TemplateParamJson", "[{\"code\":1}]")),
        Case("isv.INVALID_PARAMETERS", notice().setting("TemplateParamJson", "[]")),
        Case("isv.PARAM_LENGTH_LIMIT", call("code", value: "1234567")),
        Case("isv.PARAM_NOT_SUPPORT_URL", notice(value: "www.aliyun.com")),
        Case("isv.BLACK_KEY_CONTROL_LIMIT", notice("15000000001")),
        Case("isv.CUSTOMER_REFUSED", call("promotion", number: "15000000002")),
        Case("isv.SMS_CONTENT_ILLEGAL", notice(value: "违禁品")),
        Case("isv.UNSUPPORTED_CONTENT", notice(value: "【x】")),
        Case("isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE", call("sale")),
        Case("isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE", notice(value: "打折")),
        Case("isv.BUSINESS_LIMIT_CONTROL") {
            $0.numberLimits = NumberLimits(code: .init(), notice: .init(day: 0), promotion: .init())
        },
        Case(
            "isv.EXTEND_CODE_ERROR",
            SignedCall.batch(["15000000003", "15000000004"], templateCode: "SMS_notice").setting(
                "SignNameJson",
                "[\"general\",\"second\"]"
            )
            .setting("SmsUpExtendCodeJson", "[\"1\",\"1\"]")
        ) { $0.signNames?["second"] = SignName() },
        Case("isv.CODE_EXCEED_LIMIT", notice().setting("SmsUpExtendCodeJson", "[\"1\"]")) { $0.extensionCodeCap = 0 },
        Case("isv.CODE_ERROR", notice().setting("SmsUpExtendCodeJson", "[\"1a\"]")),
    ]

    @Test(arguments: byRule)
    func `provokes a code by a rule`(test: Case) async throws {
        var configuration = TestAccount.configuration
        var account = Self.account
        test.change(&account)
        configuration.account = account
        #expect(try await RulesGateway(configuration).code(test.call) == test.code)
    }

    @Test func `a number has the fate that an account file gives it`() async throws {
        let file = """
            {"accessKeys":[{"id":"\(TestAccount.accessKeyID)","secret":"\(TestAccount.accessKeySecret)"}],
             "numbers":[{"number":"15000000001","blocked":true},{"number":"15000000002","refusal":"isv.CODE_ERROR"}]}
            """
        var configuration = TestAccount.configuration
        configuration.account = try SimulatedAccount(file: Array(file.utf8))
        let gateway = RulesGateway(configuration)
        #expect(try await gateway.code(.batch(["15000000001"])) == "isv.BLACK_KEY_CONTROL_LIMIT")
        #expect(try await gateway.code(.batch(["15000000002"])) == "isv.CODE_ERROR")
        #expect(try await gateway.code(.batch(["15000000003"])) == "OK")
    }

    @Test func `binds an extension code to its sign name`() async throws {
        let gateway = RulesGateway(TestAccount.configuration)
        let first = SignedCall.batch(["15000000000"], signName: "A").setting("SmsUpExtendCodeJson", "[\"7\"]")
        let second = SignedCall.batch(["15000000000"], signName: "B").setting("SmsUpExtendCodeJson", "[\"7\"]")
        #expect(try await gateway.code(first) == "OK")
        #expect(try await gateway.code(second) == "isv.ONE_CODE_MULTIPLE_SIGN")
    }

    /// Codes for which no rule is known.
    static let byFaultOnly: Set<String> = ["isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "PARAMS_ILLEGAL", "IS_CLOSE"]

    /// The codes of the service and of the gateway, as the client's table has them; its own codes are none of the service's.
    static let table = CodeTable.entries.map(\.code).filter {
        !$0.hasPrefix("smspipe.") && !$0.contains("*") && $0 != "OK"
    }

    @Test(arguments: table)
    func `provokes any code by a fault`(code: String) async throws {
        var configuration = TestAccount.configuration
        configuration.faults = [try FaultRule(parsing: "error:\(code)=1")]
        try await withGateway(.rules, configuration) { gateway async throws in
            let answer = try await gateway.answer(.batch())
            #expect(answer.member("Code") == code)
            #expect((answer.status == 200) == (answer.member("HostId") == nil))
        }
    }

    @Test func `leaves no code of a send without a rule but those that have none`() {
        let sendCodes = Set(RefusalTexts.serviceCodes)
        let provoked = Set(Self.byRule.map(\.code) + ["isv.ONE_CODE_MULTIPLE_SIGN"])
        #expect(sendCodes.subtracting(provoked) == Self.byFaultOnly)
        #expect(sendCodes.isSubset(of: Set(Self.table)), "\(sendCodes.subtracting(Self.table).sorted())")
    }

    @Test(arguments: [
        (AccessKey.State.disabled, nil as String?, "InvalidAccessKeyId.Inactive"),
        (.active, "token", "MissingSecurityToken"),
    ])
    func `checks the state of a key`(state: AccessKey.State, token: String?, code: String) async throws {
        var configuration = TestAccount.configuration
        configuration.account?.accessKeys[TestAccount.accessKeyID]?.state = state
        configuration.account?.accessKeys[TestAccount.accessKeyID]?.securityToken = token
        #expect(try await RulesGateway(configuration).code(.batch()) == code)
    }

    @Test(
        arguments: SignedCall.Scheme.allCases,
        [
            ("token", "OK"), ("other", "InvalidSecurityToken.Malformed"),
            ("theirs", "InvalidSecurityToken.MismatchWithAccessKey"),
        ]
    )
    func `checks the token of a temporary key and its expiry`(scheme: SignedCall.Scheme, test: (String, String))
        async throws
    {
        var configuration = TestAccount.configuration
        configuration.account?.accessKeys[TestAccount.accessKeyID]?.securityToken = "token"
        configuration.account?.accessKeys[TestAccount.accessKeyID]?.expiration = TestAccount.now + .seconds(60)
        var theirs = AccessKey(secret: "x")
        theirs.securityToken = "theirs"
        configuration.account?.accessKeys["them"] = theirs
        let gateway = RulesGateway(configuration)
        let call = SignedCall.batch().with { ($0.scheme, $0.securityToken) = (scheme, test.0) }
        #expect(try await gateway.code(call) == test.1)
        guard test.1 == "OK" else { return }
        gateway.advance(by: .seconds(60))
        #expect(try await gateway.code(call) == "InvalidSecurityToken.Expired")
    }
}
