// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Testing

@Suite struct SendDetailsTests {
    @Test(arguments: GatewayKind.allCases)
    func `shows a message waiting, then delivered, with its OutId`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            let sent = try await gateway.answer(.batch(["+8615000000000", "15000000001"], outID: "job-1"))
            let bizID = try #require(sent.member("BizId"))
            let waiting = try await gateway.answer(.details("15000000000", bizID: bizID))
            #expect(waiting.json["TotalCount"] as? Int == 1)
            #expect(waiting.details.first?["SendStatus"] as? Int == 1)
            #expect(waiting.details.first?["OutId"] as? String == "job-1")
            gateway.advance(by: .seconds(1))
            let detail = try #require(try await gateway.answer(.details("15000000000")).details.first)
            #expect(detail["SendStatus"] as? Int == 3)
            #expect(detail["ErrCode"] as? String == "DELIVERED")
            #expect(detail["PhoneNum"] as? String == "15000000000")
            #expect(detail["TemplateCode"] as? String == "SMS_0000")
            #expect(detail["Content"] as? String == "【阿里云】SMS_0000 code=1204")
            #expect(detail["SendDate"] as? String == "2024-03-01 16:00:00")
            #expect(detail["ReceiveDate"] as? String == "2024-03-01 16:00:01")
        }
    }

    @Test func `pages through the messages of a number`() async throws {
        let gateway = RulesGateway(TestAccount.configuration)
        for index in 0..<7 {
            #expect(try await gateway.code(.batch(["15000000000"], outID: "job-\(index)")) == "OK")
        }
        let page = SignedCall.details("15000000000").setting("PageSize", "3")
        var seen: [String] = []
        for number in 1...4 {
            let answer = try await gateway.answer(page.setting("CurrentPage", "\(number)"))
            #expect(answer.json["TotalCount"] as? Int == 7)
            seen += answer.details.compactMap { $0["OutId"] as? String }
        }
        #expect(seen == (0..<7).reversed().map { "job-\($0)" })
    }

    @Test func `keeps the day of China time`() async throws {
        let gateway = RulesGateway(TestAccount.configuration)
        // 2024-03-01T08:00:00Z is 16:00 in China; eight and a half hours later the day has changed there.
        gateway.advance(by: .seconds(8 * 3_600 + 1_800))
        let send = SignedCall.batch(["15000000000"]).with { $0.time = $0.time + .seconds(8 * 3_600 + 1_800) }
        #expect(try await gateway.code(send) == "OK")
        for (date, count) in [("20240301", 0), ("20240302", 1)] {
            let call = SignedCall.details("15000000000", date: date).with { $0.time = send.time }
            #expect(try await gateway.answer(call).details.count == count)
        }
    }

    @Test(arguments: [
        ("PhoneNumber", nil, "MissingPhoneNumber"), ("SendDate", nil, "MissingSendDate"),
        ("SendDate", "2024-03-01", "isv.INVALID_PARAMETERS"), ("SendDate", "20240101", "isv.INVALID_PARAMETERS"),
        ("PageSize", "51", "isv.INVALID_PARAMETERS"), ("CurrentPage", "0", "isv.INVALID_PARAMETERS"),
        ("PhoneNumber", "+8615000000000", "isv.MOBILE_NUMBER_ILLEGAL"),
    ])
    func `refuses a wrong parameter`(name: String, value: String?, code: String) async throws {
        let call = SignedCall.details("15000000000").setting(name, value)
        #expect(try await RulesGateway(TestAccount.configuration).code(call) == code)
    }

    @Test(arguments: [
        ("19999001001", 2, "MOBILE_NOT_ON_SERVICE"), ("19999001004", 1, ""), ("15000000000", 3, "DELIVERED"),
    ])
    func `reports what the account says of a number`(number: String, status: Int, code: String) async throws {
        let gateway = RulesGateway(TestAccount.configuration)
        _ = try await gateway.answer(.batch([number]))
        gateway.advance(by: .seconds(5))
        let detail = try await gateway.answer(.details(number)).details.first
        #expect(detail?["SendStatus"] as? Int == status)
        #expect(detail?["ErrCode"] as? String == code)
    }

    @Test func `forgets the oldest messages and nothing else`() async throws {
        var configuration = TestAccount.configuration
        configuration.maximumKeptMessages = 150
        let gateway = RulesGateway(configuration)
        for start in [0, 100, 200] {
            #expect(try await gateway.code(.batch((0..<100).map { "\(15_000_000_000 + start + $0)" })) == "OK")
        }
        for (number, count) in [(15_000_000_000, 0), (15_000_000_149, 0), (15_000_000_150, 1), (15_000_000_299, 1)] {
            #expect(try await gateway.answer(.details("\(number)")).details.count == count, "\(number)")
        }
    }
}
