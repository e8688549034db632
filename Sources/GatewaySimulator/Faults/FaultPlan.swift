// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// Decides which requests go wrong, in the same way for the same seed and the same requests in the same order.
struct FaultPlan: Sendable {
    private struct Entry: Sendable {
        var rule: FaultRule
        var generator: SeededGenerator
        var matchCount = 0
        var hitCount = 0
    }

    private var entries: [Entry] = []
    private var latencyGenerator: SeededGenerator
    private let seed: UInt64
    /// The latency of every answer of the API.
    var latency: Latency?

    /// Creates a plan.
    init(rules: [FaultRule], latency: Latency?, seed: UInt64) {
        self.seed = seed
        self.latency = latency
        latencyGenerator = SeededGenerator(seed: seed ^ 0x6C61_7465_6E63_7900)
        replaceRules(rules)
    }

    /// The rules in force.
    var rules: [FaultRule] { entries.map(\.rule) }

    /// How many requests each rule has matched and has befallen.
    var counts: [(rule: FaultRule, matches: Int, hits: Int)] { entries.map { ($0.rule, $0.matchCount, $0.hitCount) } }

    /// Puts other rules in force and starts their counting and their randomness anew.
    mutating func replaceRules(_ rules: [FaultRule]) {
        entries = rules.enumerated().map { index, rule in
            Entry(rule: rule, generator: SeededGenerator(seed: seed &+ UInt64(index) &* 0xD1B5_4A32_D192_ED03))
        }
    }

    /// The fault of the next request: that of the first rule that hits.
    ///
    /// Every matching rule draws, whether or not one before it has hit: so one rule does not shift the randomness of another.
    ///
    /// - Parameters:
    ///   - action: The call.
    ///   - send: The messages, if it is a send that could be read.
    /// - Returns: The fault, or `nil` if nothing goes wrong.
    mutating func next(action: String, send: SendRequest?) -> Fault? {
        var fault: Fault?
        for index in entries.indices where Self.matches(entries[index].rule, action: action, send: send) {
            entries[index].matchCount += 1
            let rule = entries[index].rule
            let isHit =
                if let nth = rule.nth {
                    entries[index].matchCount == nth
                } else {
                    Double.random(in: 0..<1, using: &entries[index].generator) < rule.share
                }
            guard isHit, fault == nil else { continue }
            entries[index].hitCount += 1
            fault = rule.fault
        }
        return fault
    }

    /// How long the next answer takes.
    mutating func nextDelay() -> Duration {
        guard let latency else { return .zero }
        guard latency.jitter > .zero else { return latency.base }
        return max(.zero, latency.base + latency.jitter * Double.random(in: -1...1, using: &latencyGenerator))
    }

    private static func matches(_ rule: FaultRule, action: String, send: SendRequest?) -> Bool {
        guard let wanted = rule.action else { return send != nil && matchesSend(rule, send) }
        return wanted == action && matchesSend(rule, send)
    }

    private static func matchesSend(_ rule: FaultRule, _ send: SendRequest?) -> Bool {
        if let templateCode = rule.templateCode {
            guard let send, send.text(send.templateCode) == templateCode else { return false }
        }
        guard let phoneNumber = rule.phoneNumber else { return true }
        guard let send else { return false }
        let wanted = ContentHash.of(phoneNumber)
        return send.elements.contains { ContentHash.of(send.bytes.span, $0.digits) == wanted }
    }
}
