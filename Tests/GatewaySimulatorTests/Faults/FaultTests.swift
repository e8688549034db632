// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Testing

@Suite struct FaultTests {
    private func configuration(_ faults: String..., seed: UInt64 = 42) throws -> SimulatorConfiguration {
        var configuration = TestAccount.configuration
        configuration.seed = seed
        configuration.faults = try faults.map { try FaultRule(parsing: $0) }
        return configuration
    }

    @Test(arguments: [
        "drop-after=0.1", "error:isv.SMS_CONTENT_ILLEGAL=1.0", "503=0.5,template=SMS_1", "stall=1.0,nth=3",
        "garbage=0.0,number=15000000000", "truncate=1.0,action=QuerySendDetails", "drop-before=0.25",
    ])
    func `reads a rule and writes it again`(text: String) throws {
        #expect(try FaultRule(parsing: text).text == text)
    }

    @Test(arguments: [
        "drop", "drop-after", "drop-after=2", "drop-after=-1", "drop-after=x", "error:=1", "stall=1,nth=0",
        "stall=1,x=1", "stall=1,nth=1,nth=2", "stall=1,number=1 2", "stall=1,nth=1 503=1",
    ])
    func `refuses a rule that it cannot read`(text: String) {
        #expect(throws: FaultRuleError.self) { try FaultRule(parsing: text) }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        /// What the client sees; `nil` for no answer.
        var code: String?
        var isTaken: Bool
        var testDescription: String { fault }
    }

    static let cases: [Case] = [
        Case(fault: "error:isv.OUT_OF_SERVICE", code: "isv.OUT_OF_SERVICE", isTaken: false),
        Case(fault: "error:Throttling.User", code: "Throttling.User", isTaken: false),
        Case(fault: "503", code: "ServiceUnavailable", isTaken: false),
        Case(fault: "drop-before", code: nil, isTaken: false),
        Case(fault: "drop-after", code: nil, isTaken: true),
        Case(fault: "garbage", code: "", isTaken: true),
    ]

    @Test(arguments: GatewayKind.allCases, cases)
    func `befalls one request and no other`(kind: GatewayKind, test: Case) async throws {
        try await withGateway(kind, configuration("\(test.fault)=1,nth=2")) { gateway async throws in
            #expect(try await gateway.code(.batch(["15000000001"])) == "OK")
            let answer = try await gateway.answer(SignedCall.batch(["15000000002"]).request(host: gateway.host))
            #expect(answer.map { $0.member("Code") ?? "" } == test.code)
            #expect(try await gateway.code(.batch(["15000000003"])) == "OK")
            let details = try await gateway.answer(.details("15000000002")).details
            #expect(details.count == (test.isTaken ? 1 : 0))
        }
    }

    @Test func `cuts an answer in half and closes`() async throws {
        try await withGateway(.http, configuration("truncate=1")) { gateway async throws in
            let answer = try #require(try await gateway.answer(SignedCall.batch().request(host: gateway.host)))
            let promised = try #require(answer.header("content-length").flatMap { Int($0) })
            #expect(answer.status == 200)
            #expect(answer.body.count == promised / 2)
        }
    }

    @Test func `never answers a stalled request, and takes it`() async throws {
        let server = try SimulatorServer.start(
            configuration: configuration("stall=1,nth=1"),
            clock: { TestAccount.now },
        )
        let port = try #require(server.endpoint.split(separator: ":").last.flatMap { UInt16($0) })
        let call = SignedCall.batch(["15000000000"]).request(host: "127.0.0.1:\(port)")
        let head = call.headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        let text =
            "POST \(String(decoding: call.target, as: UTF8.self)) HTTP/1.1\r\n\(head)content-length: \(call.body.count)\r\n\r\n"
        #expect(try SocketClient.exchange(Array(text.utf8) + call.body, port: port, seconds: 1).isEmpty)
        let gateway = HTTPGateway(server: server, clock: TestClock())
        #expect(try await gateway.answer(.details("15000000000")).details.count == 1)
        try server.shutdown()
    }

    @Test func `limits a rule to a template, a number or a call`() async throws {
        let gateway = RulesGateway(
            try configuration(
                "error:isv.SMS_CONTENT_ILLEGAL=1,template=SMS_7",
                "error:isv.CUSTOMER_REFUSED=1,number=15000000009",
                "error:ServiceUnavailable=1,action=QuerySendDetails",
            )
        )
        #expect(try await gateway.code(.batch()) == "OK")
        #expect(try await gateway.code(.batch(templateCode: "SMS_7")) == "isv.SMS_CONTENT_ILLEGAL")
        #expect(try await gateway.code(.batch(["15000000000", "+8615000000009"])) == "isv.CUSTOMER_REFUSED")
        #expect(try await gateway.code(.details("15000000000")) == "ServiceUnavailable")
    }

    @Test func `reads a number in any form that the service takes`() throws {
        for number in ["15000000009", "+8615000000009", "008615000000009"] {
            #expect(try FaultRule(parsing: "503=1,number=\(number)").phoneNumber == "15000000009")
        }
    }

    @Test(arguments: [("number=abc", "“abc” is no phone number"), ("action=sendsms", "there is no action “sendsms”")])
    func `refuses a limit that nothing could ever meet`(limit: String, words: String) {
        let error = #expect(throws: FaultRuleError.self) { try FaultRule(parsing: "503=1,\(limit)") }
        #expect(error?.description.hasPrefix(words) == true)
    }

    @Test func `gives the same faults for the same seed and requests`() async throws {
        func codes(seed: UInt64) async throws -> [String] {
            let gateway = RulesGateway(try configuration("503=0.3", "error:isv.OUT_OF_SERVICE=0.3", seed: seed))
            var codes: [String] = []
            for _ in 0..<200 { codes.append(try await gateway.code(.batch())) }
            return codes
        }
        let first = try await codes(seed: 1)
        #expect(try await codes(seed: 1) == first)
        #expect(try await codes(seed: 2) != first)
        let share = Double(first.count { $0 == "ServiceUnavailable" }) / 200
        #expect((0.2...0.4).contains(share))
    }

    @Test(arguments: [("50ms", "50ms"), ("50ms±20ms", "50ms±20ms"), ("1.5s", "1500ms"), ("2s±0", "2s"), ("0", "0s")])
    func `reads a latency`(text: String, written: String) {
        #expect(Latency(text: text)?.text == written)
    }

    @Test(arguments: ["", "50", "ms", "50ms±", "±20ms", "1ms±2ms±3ms", "-1s"])
    func `refuses a latency that it cannot read`(text: String) {
        #expect(Latency(text: text) == nil)
    }

    @Test func `delays every answer by the latency, within its jitter`() async throws {
        var configuration = TestAccount.configuration
        configuration.latency = Latency(.milliseconds(50), jitter: .milliseconds(20))
        let gateway = RulesGateway(configuration)
        var delays: Set<Duration> = []
        for _ in 0..<50 { delays.insert(try await gateway.answer(.batch()).delay) }
        #expect(delays.count > 10)
        #expect(delays.allSatisfy { (.milliseconds(30) ... .milliseconds(70)).contains($0) })
    }
}
