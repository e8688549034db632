// SPDX-License-Identifier: Apache-2.0

/// Decides when another connection is made for a request that finds none idle.
///
/// A connection costs as much as a request, over TLS ten times as much. Those begun get their requests out only when the event
/// loop looks at its sockets, so few are begun at a time. And a gateway that answers at once frees one before another is made:
/// as long as it does, there are few in all, and more would only take turns.
package struct ConnectionAllowance {
    /// How many connections are few.
    package static let few = 16
    /// How long a prompt answer takes at most; few connections carry the service's quota of 5,000 requests a second then.
    package static let promptness = Duration.milliseconds(3)

    /// How many were begun since the sockets were looked at.
    private var begunCount = 0
    /// How many more answers were late than prompt, of late.
    private var lateCount = 0
    private var hasConnected = false
    private var hasAnswered = false
    /// Whether answers are waited for, so that more connections carry more requests.
    private var isSlow = false

    /// Creates an allowance for a run that has no connection yet.
    package init() {}

    /// How long to wait at most before a connection that is not allowed is allowed.
    package var patience: Duration {
        if isSlow { return .milliseconds(1) }
        // The first connections take the network's time, not the gateway's.
        return .milliseconds(hasConnected ? 5 : 20)
    }

    /// Whether another connection may be begun now.
    ///
    /// - Parameter count: How many are begun, or carry a request.
    /// - Returns: Whether another one beside them may be.
    package func allows(beside count: Int) -> Bool {
        begunCount < Self.few && (isSlow || count < Self.few)
    }

    /// Notes that a connection is begun.
    package mutating func begun() { begunCount += 1 }

    /// Notes that the event loop has looked at its sockets.
    package mutating func socketsWereLookedAt() { begunCount = 0 }

    /// Notes that a connection was made.
    ///
    /// - Returns: Whether it is the first one, so that ``patience`` has changed.
    package mutating func connected() -> Bool {
        defer { hasConnected = true }
        return !hasConnected
    }

    /// Notes that a request was answered, so long after it was sent.
    package mutating func answered(after duration: Duration) {
        hasAnswered = true
        guard !isSlow else { return }
        // One moment without the processor makes all those late that are under way; it takes more.
        lateCount = max(0, lateCount + (duration > Self.promptness ? 1 : -1))
        isSlow = lateCount > 2 * Self.few
    }

    /// Notes that ``patience`` has passed.
    package mutating func waited() {
        if !hasAnswered { isSlow = true }
        hasAnswered = false
        begunCount = 0
    }
}
