// SPDX-License-Identifier: Apache-2.0

/// How many requests may be in flight: halved when the gateway throttles, one more after each round without throttling.
///
/// The rule of TCP's congestion avoidance: requests that left before the last halving do not halve again.
struct ConcurrencyLimit: Equatable, Sendable {
    let maximum: Int
    private(set) var current: Int
    private var answeredInRound = 0
    private var lastHalving: Instant?

    init(maximum: Int) {
        self.maximum = maximum
        current = maximum
    }

    mutating func answered() {
        guard current < maximum else { return }
        answeredInRound += 1
        guard answeredInRound >= current else { return }
        answeredInRound = 0
        current += 1
    }

    mutating func throttled(sentAt: Instant, at now: Instant) {
        answeredInRound = 0
        if let lastHalving, sentAt < lastHalving { return }
        lastHalving = now
        current = max(1, current / 2)
    }
}
