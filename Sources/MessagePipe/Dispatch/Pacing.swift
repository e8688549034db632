// SPDX-License-Identifier: Apache-2.0

/// How many requests may be in flight: halved when the gateway throttles, one more after each round without throttling.
///
/// The rule of TCP's congestion avoidance: requests that left before the last halving do not halve again.
struct ConcurrencyLimit: Equatable, Sendable {
    private let maximum: Int
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

/// When the next request may leave: not before the rate allows it, nor before a pause ends.
struct Pacer: Equatable, Sendable {
    private let nanosecondsPerMessage: Double?
    /// When the next request may leave; `nil` for at once.
    private(set) var nextPermit: Instant?

    init(messagesPerSecond: Double?) {
        nanosecondsPerMessage = messagesPerSecond.map { 1e9 / $0 }
    }

    func allows(at now: Instant) -> Bool {
        guard let nextPermit else { return true }
        return nextPermit <= now
    }

    mutating func sent(_ messages: Int, at now: Instant) {
        guard let nanosecondsPerMessage else { return }
        let from = max(nextPermit ?? now, now)
        nextPermit = from.advanced(by: .nanoseconds(Int64(Double(messages) * nanosecondsPerMessage)))
    }

    mutating func pause(until instant: Instant) {
        nextPermit = max(nextPermit ?? instant, instant)
    }
}
