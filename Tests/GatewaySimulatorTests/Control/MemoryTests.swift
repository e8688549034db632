// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import MessagePipe
import Testing

/// What is remembered of many messages and requests, and what is said of what is forgotten.
@Suite struct MemoryTests {
    private func lines(_ gateway: RulesGateway, _ target: String) async throws -> [[String: Any]] {
        let request = SimulatedRequest(method: "GET", target: Array("/_sim/\(target)".utf8), headers: [])
        return try await gateway.answer(request)?.text.split(separator: "\n").compactMap { jsonObject($0.utf8) } ?? []
    }

    private func gateway(_ change: (inout SimulatorConfiguration) -> Void) -> RulesGateway {
        var configuration = TestAccount.configuration
        change(&configuration)
        return RulesGateway(configuration)
    }

    private func number(_ index: Int) -> String { "\(13_000_000_000 + index)" }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `counts repeats as a plain count does`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let gateway = gateway { $0.maximumKeptMessages = 50 }
        var counts: [String: Int] = [:]
        for _ in 0..<150 {
            let numbers = (0..<100).map { _ in number(Int.random(in: 0..<20_000, using: &generator)) }
            for number in numbers { counts[number, default: 0] += 1 }
            #expect(try await gateway.code(.batch(numbers, values: numbers.map { _ in "1234" })) == "OK")
        }
        let repeated = counts.filter { $0.value > 1 }
        let told = try await lines(gateway, "duplicates").map { line in
            (line["PhoneNumber"] as? String ?? "", line["Count"] as? Int ?? 0)
        }
        #expect(Dictionary(uniqueKeysWithValues: told) == repeated)
        let totals = try #require(try await lines(gateway, "counts").first)
        #expect(totals["Distinct"] as? Int == counts.count)
        #expect(totals["Repeats"] as? Int == 15_000 - counts.count)
        #expect(totals["Kept"] as? Int == 50)
    }

    @Test func `finds repeats among the latest messages and says how many it has forgotten`() async throws {
        let gateway = gateway { $0.maximumComparedMessages = 200 }
        func send(_ range: Range<Int>) async throws {
            let numbers = range.map(number)
            #expect(try await gateway.code(.batch(numbers, values: numbers.map { _ in "1234" })) == "OK")
        }
        for start in stride(from: 0, to: 200, by: 50) { try await send(start..<(start + 50)) }
        #expect(try await lines(gateway, "duplicates").isEmpty)
        try await send(100..<150)
        #expect(try await lines(gateway, "duplicates").count == 50)
        for start in stride(from: 200, to: 300, by: 50) { try await send(start..<(start + 50)) }
        // The first hundred are forgotten, so a repeat of them is not found; the line that says so comes last.
        try await send(0..<50)
        let duplicates = try await lines(gateway, "duplicates")
        #expect(duplicates.count == 51)
        #expect(duplicates.last?["Forgotten"] as? Int == 200)
        #expect((duplicates.last?["Message"] as? String)?.contains("--compare") == true)
        #expect(try await lines(gateway, "counts").first?["Forgotten"] as? Int == 200)
    }

    @Test func `shows so many repeated messages and counts the others`() async throws {
        let gateway = gateway { _ in }
        for _ in 0..<2 {
            for start in stride(from: 0, to: 10_100, by: 100) {
                let numbers = (start..<(start + 100)).map(number)
                #expect(try await gateway.code(.batch(numbers, values: numbers.map { _ in "1234" })) == "OK")
            }
        }
        let duplicates = try await lines(gateway, "duplicates")
        #expect(duplicates.count == 10_001)
        #expect(duplicates.last?["HiddenRepeats"] as? Int == 100)
    }

    @Test func `remembers a nonce for fifteen minutes at least`() async throws {
        let gateway = gateway { _ in }
        let call = SignedCall.batch().with { ($0.nonce, $0.time) = ("once", $0.time + .seconds(899)) }
        #expect(try await gateway.code(call) == "OK")
        for minute in 1...15 {
            gateway.advance(by: .seconds(59))
            // Others come meanwhile.
            _ = try await gateway.code(.batch().with { $0.time = $0.time + .seconds(59 * minute) })
            #expect(try await gateway.code(call) == "SignatureNonceUsed", "minute \(minute)")
        }
    }

    @Test func `forgets nonces early rather than grow, and says so`() async throws {
        let gateway = gateway { $0.maximumNonces = 8 }
        let call = SignedCall.batch().with { $0.nonce = "once" }
        #expect(try await gateway.code(call) == "OK")
        for _ in 0..<4 { #expect(try await gateway.code(.batch()) == "OK") }
        #expect(try await gateway.code(call) == "SignatureNonceUsed")
        #expect(try await lines(gateway, "counts").first?["NoncesForgotten"] as? Int == 0)
        for _ in 0..<4 { #expect(try await gateway.code(.batch()) == "OK") }
        #expect(try await lines(gateway, "counts").first?["NoncesForgotten"] as? Int == 2)
        #expect(try await gateway.code(call) == "OK")
    }

    @Test func `look-ups and refused requests push out each other, but no message`() async throws {
        let gateway = gateway { $0.maximumKeptMessages = 5 }
        #expect(try await gateway.code(.batch((0..<2).map(number))) == "OK")
        for _ in 0..<20 { #expect(try await gateway.answer(.details(number(0))).details.count == 1) }
        #expect(try await gateway.code(.batch((2..<4).map(number))) == "OK")
        for _ in 0..<3 { #expect(try await gateway.answer(.details(number(1))).details.count == 1) }
        #expect(try await lines(gateway, "messages").count == 4)
        // The sends, and the last five others between and behind them.
        let requests = try await lines(gateway, "requests")
        #expect(requests.compactMap { $0["Number"] as? Int } == [1, 20, 21, 22, 23, 24, 25])
        #expect(try await lines(gateway, "counts").first?["Requests"] as? Int == 25)
        // What nothing stands before goes for good.
        for start in [4, 6, 8] { #expect(try await gateway.code(.batch((start..<(start + 2)).map(number))) == "OK") }
        #expect(try await gateway.answer(.details(number(2))).details.isEmpty)
        #expect(try await gateway.answer(.details(number(9))).details.count == 1)
        #expect(try await lines(gateway, "messages").count == 5)
    }

    @Test func `keeps messages however many look for them`() async throws {
        let gateway = gateway { $0.maximumKeptMessages = 20_000 }
        #expect(try await gateway.code(.batch((0..<2).map(number))) == "OK")
        // They would hold more bytes than are kept of all requests; the latest of them are.
        let padding = ("Padding", String(repeating: "x", count: 16 << 10))
        let lookUp = SignedCall.details(number(0)).with { $0.parameters.append(padding) }
        for _ in 0..<9_000 { #expect(try await gateway.answer(lookUp).details.count == 1) }
        #expect(try await lines(gateway, "messages").count == 2)
        #expect(try await lines(gateway, "requests?limit=1").first?["Number"] as? Int == 1)
        let newest = try await lines(gateway, "requests?newest=1&limit=2").compactMap { $0["Number"] as? Int }
        #expect(newest == [9_001, 9_000])
    }

    @Test func `keeps the latest messages, and their requests`() async throws {
        let gateway = gateway { $0.maximumKeptMessages = 5 }
        _ = try await gateway.code(.details(number(0)))
        for start in [0, 3, 6] { _ = try await gateway.code(.batch((start..<(start + 3)).map(number))) }
        let kept = try await lines(gateway, "messages")
        #expect(kept.compactMap { $0["PhoneNumber"] as? String } == (4..<9).map(number))
        #expect(kept.compactMap { $0["Number"] as? Int } == Array(5...9))
        #expect(try await lines(gateway, "requests").compactMap { $0["Number"] as? Int } == [3, 4])
        #expect(try await gateway.answer(.details(number(3))).details.isEmpty)
        #expect(try await gateway.answer(.details(number(4))).details.count == 1)
    }
}
