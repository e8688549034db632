// SPDX-License-Identifier: Apache-2.0

/// A token bucket: so many requests a second on average, and at most one second's worth at once.
struct TokenBucket: Sendable {
    /// The longest wait that is asked for: a rate may be next to nothing.
    private static let maximumWaitSeconds = 86_400.0

    private let tokensPerSecond: Double
    private var tokens: Double
    private var lastTime: WallTime?

    /// Creates a full bucket.
    ///
    /// - Parameter tokensPerSecond: How many requests a second are let through; above zero.
    init(tokensPerSecond: Double) {
        precondition(tokensPerSecond > 0, "a token bucket must let something through")
        self.tokensPerSecond = tokensPerSecond
        tokens = max(1, tokensPerSecond)
    }

    /// Takes a token.
    ///
    /// - Returns: `nil` if there was one; else how long it takes until there is one again.
    mutating func take(at now: WallTime) -> Duration? {
        let elapsed = lastTime.map { max(.zero, now - $0) } ?? .zero
        lastTime = max(lastTime ?? now, now)
        tokens = min(max(1, tokensPerSecond), tokens + elapsed / .seconds(1) * tokensPerSecond)
        guard tokens < 1 else {
            tokens -= 1
            return nil
        }
        return .seconds(min(Self.maximumWaitSeconds, (1 - tokens) / tokensPerSecond))
    }
}
