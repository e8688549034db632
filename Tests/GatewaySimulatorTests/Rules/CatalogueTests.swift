// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Testing

@Suite struct CatalogueTests {
    private var gateway: RulesGateway {
        var configuration = TestAccount.configuration
        configuration.account = CodeTests.account
        return RulesGateway(configuration)
    }

    @Test func `shows a template by both calls, with the numbers of each`() async throws {
        let gateway = gateway
        let new = try await gateway.answer(SignedCall("GetSmsTemplate", [("TemplateCode", "SMS_money")]))
        #expect(new.member("TemplateStatus") == "1")
        #expect(new.member("TemplateType") == "1")
        #expect(new.member("VariableAttribute") == "{\"code\":\"money\"}")
        let old = try await gateway.answer(SignedCall("QuerySmsTemplate", [("TemplateCode", "SMS_review")]))
        #expect(old.json["TemplateStatus"] as? Int == 0)
        #expect(old.member("TemplateContent") == "${code}")
        #expect(
            try await gateway.code(SignedCall("GetSmsTemplate", [("TemplateCode", "SMS_9")]))
                == "isv.SMS_TEMPLATE_ILLEGAL"
        )
    }

    @Test func `pages through templates and sign names`() async throws {
        let gateway = gateway
        let templates = try await gateway.answer(
            SignedCall("QuerySmsTemplateList", [("PageIndex", "2"), ("PageSize", "3")])
        )
        #expect(templates.json["TotalCount"] as? Int == 9)
        #expect((templates.json["SmsTemplateList"] as? [[String: Any]])?.count == 3)
        let signNames = try await gateway.answer(SignedCall("QuerySmsSignList", [("PageSize", "50")]))
        let states = (signNames.json["SmsSignList"] as? [[String: Any]])?.compactMap { $0["AuditStatus"] as? String }
        #expect(states?.count == 11)
        #expect(states?.contains("AUDIT_STATE_INIT") == true)
        #expect(
            try await gateway.code(SignedCall("QuerySmsSignList", [("PageSize", "51")])) == "isv.INVALID_PARAMETERS"
        )
    }

    @Test func `shows a sign name by both calls`() async throws {
        let gateway = gateway
        let new = try await gateway.answer(SignedCall("GetSmsSign", [("SignName", "general")]))
        #expect(new.json["SignStatus"] as? Int == 1)
        #expect((new.json["SignIspRegisterDetailList"] as? [Any])?.count == 3)
        let old = try await gateway.answer(SignedCall("QuerySmsSign", [("SignName", "rejected")]))
        #expect(old.json["SignStatus"] as? Int == 2)
    }

    @Test func `counts what became of the messages of each day`() async throws {
        let gateway = RulesGateway(TestAccount.configuration)
        _ = try await gateway.answer(.batch(["15000000000", "15000000001", "19999001001", "19999001004"]))
        gateway.advance(by: .seconds(5))
        let call = SignedCall(
            "QuerySendStatistics",
            [
                ("IsGlobe", "1"), ("StartDate", "20240301"), ("EndDate", "20240302"), ("PageIndex", "1"),
                ("PageSize", "10"),
            ],
        )
        let answer = try await gateway.answer(call)
        let day = ((answer.json["Data"] as? [String: Any])?["TargetList"] as? [[String: Any]])?.first
        #expect(day?["SendDate"] as? String == "20240301")
        let counts = ["TotalCount", "RespondedSuccessCount", "RespondedFailCount", "NoRespondedCount"]
        #expect(counts.map { day?[$0] as? Int } == [4, 2, 1, 1])
    }

    @Test(arguments: SignedCall.Scheme.allCases)
    func `answers in XML when asked to`(scheme: SignedCall.Scheme) async throws {
        let gateway = RulesGateway(TestAccount.configuration)
        let xml = { (call: SignedCall) in
            call.with { ($0.scheme, $0.accept, $0.format) = (scheme, "application/xml", "XML") }
        }
        let sent = try await gateway.answer(xml(.batch()))
        #expect(sent.header("content-type") == "text/xml;charset=utf-8")
        #expect(sent.text.contains("<SendBatchSmsResponse>"))
        #expect(sent.text.contains("<Code>OK</Code>"))
        let details = try await gateway.answer(xml(.details("15000000000")))
        #expect(details.text.contains("<SmsSendDetailDTOs><SmsSendDetailDTO><PhoneNum>15000000000</PhoneNum>"))
        let refused = try await gateway.answer(xml(SignedCall.batch().with { $0.accessKeySecret = "wrong" }))
        #expect(refused.text.contains("<Error>") && refused.text.contains("<Code>SignatureDoesNotMatch</Code>"))
    }
}
