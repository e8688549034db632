// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Testing

@Suite struct LimitTests {
    @Test(arguments: GatewayKind.allCases)
    func `throttles what is faster than the token bucket fills`(kind: GatewayKind) async throws {
        var configuration = TestAccount.configuration
        configuration.requestsPerSecond = 10
        try await withGateway(kind, configuration) { gateway async throws in
            for _ in 0..<10 { #expect(try await gateway.code(.batch()) == "OK") }
            let answer = try await gateway.answer(.batch())
            #expect(answer.status == 429)
            #expect(answer.member("Code") == "Throttling.User")
            #expect(answer.header("x-acs-retry-after") == "100")
            #expect(try await gateway.code(.details("15000000000")) == "OK", "each call has a bucket of its own")
            gateway.advance(by: .milliseconds(250))
            for code in ["OK", "OK", "Throttling.User"] { #expect(try await gateway.code(.batch()) == code) }
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `asks to wait a day at most, however low the rate`(kind: GatewayKind) async throws {
        var configuration = TestAccount.configuration
        configuration.requestsPerSecond = 1e-300
        try await withGateway(kind, configuration) { gateway async throws in
            #expect(try await gateway.code(.batch()) == "OK")
            #expect(try await gateway.answer(.batch()).header("x-acs-retry-after") == "86400000")
        }
    }

    @Test func `bills an English international message by the segments that its report names`() async throws {
        var configuration = TestAccount.configuration
        var account = TestAccount.account
        let content = "${code} " + String(repeating: "x", count: 140)
        account.templates = ["SMS_0000": Template(name: "test", content: content, kind: .international)]
        account.balance = 1
        configuration.account = account
        let gateway = RulesGateway(configuration)
        let call = SignedCall.batch(["85200000000"], signName: "Acme")
        for code in ["OK", "isv.AMOUNT_NOT_ENOUGH"] { #expect(try await gateway.code(call) == code) }
    }

    private func gateway(_ kind: Template.Kind) -> RulesGateway {
        var configuration = TestAccount.configuration
        configuration.numberLimits = .service
        var account = TestAccount.account
        account.templates = ["SMS_0000": Template(name: "test", content: "${code}", kind: kind)]
        configuration.account = account
        return RulesGateway(configuration)
    }

    private func send(_ gateway: RulesGateway, _ clock: Duration, number: String = "15000000000") async throws -> String
    {
        let call = SignedCall.batch([number]).with { $0.time = $0.time + clock }
        return try await gateway.answer(call).member("Message") ?? ""
    }

    @Test func `takes forty verification codes a day, whoever sends them`() async throws {
        let gateway = gateway(.code)
        for sender in 0..<40 {
            #expect(try await gateway.code(.batch(["15000000000"], signName: "s\(sender)")) == "OK")
        }
        let call = SignedCall.batch(["15000000000"], signName: "s40")
        #expect(try await gateway.answer(call).member("Message") == "触发天级流控Permits:40")
        #expect(try await gateway.code(.batch(["15000000001"], signName: "s40")) == "OK")
        gateway.advance(by: .seconds(86_400))
        #expect(try await gateway.code(call.with { $0.time = $0.time + .seconds(86_400) }) == "OK")
    }

    @Test func `takes one verification code a minute, five an hour, ten a day`() async throws {
        let gateway = gateway(.code)
        var clock = Duration.zero
        func advance(_ duration: Duration) {
            clock += duration
            gateway.advance(by: duration)
        }
        #expect(try await send(gateway, clock) == "OK")
        #expect(try await send(gateway, clock) == "触发分钟级流控Permits:1")
        #expect(try await send(gateway, clock, number: "15000000001") == "OK", "another number has its own limit")
        for _ in 0..<4 {
            advance(.seconds(60))
            #expect(try await send(gateway, clock) == "OK")
        }
        advance(.seconds(60))
        #expect(try await send(gateway, clock) == "触发小时级流控Permits:5")
        // The hour is one of the calendar: the first five went at 08:00 to 08:04.
        advance(.seconds(3_600 - 300))
        for _ in 0..<5 {
            #expect(try await send(gateway, clock) == "OK")
            advance(.seconds(60))
        }
        advance(.seconds(3_600))
        #expect(try await send(gateway, clock) == "触发天级流控Permits:10")
        advance(.seconds(86_400))
        #expect(try await send(gateway, clock) == "OK")
    }

    @Test(arguments: [Template.Kind.notice, .promotion])
    func `takes fifty notices or promotions of a template a day`(kind: Template.Kind) async throws {
        let gateway = gateway(kind)
        for _ in 0..<50 { #expect(try await send(gateway, .zero) == "OK") }
        #expect(try await send(gateway, .zero) == "触发天级流控Permits:50")
    }

    @Test func `counts a number that stands twice in a batch, and nothing of a refused batch`() async throws {
        let gateway = gateway(.code)
        let twice = SignedCall.batch(["15000000000", "15000000000"])
        #expect(try await gateway.code(twice) == "isv.BUSINESS_LIMIT_CONTROL")
        #expect(try await gateway.code(.batch(["15000000000"])) == "OK")
    }
}
