// SPDX-License-Identifier: Apache-2.0

/// How long to wait before a request is tried again: full jitter under an exponential ceiling.
package struct RetryPolicy: Equatable, Sendable {
    /// The ceiling of the first wait.
    package var firstWait: Duration
    /// The ceiling of every wait.
    package var maximumWait: Duration
    /// The longest wait that is taken over from the gateway.
    package var maximumRetryAfter: Duration

    /// Creates a policy; the defaults are the contract's.
    package init(
        firstWait: Duration = .milliseconds(200),
        maximumWait: Duration = .seconds(20),
        maximumRetryAfter: Duration = .seconds(60),
    ) {
        self.firstWait = firstWait
        self.maximumWait = maximumWait
        self.maximumRetryAfter = maximumRetryAfter
    }

    /// A wait before the next attempt.
    ///
    /// - Parameters:
    ///   - attempts: How often the request was tried, from 1.
    ///   - retryAfter: The wait that the gateway asked for; then the wait is never shorter.
    ///   - generator: Spreads the waits.
    /// - Returns: The wait, from now.
    func wait(
        after attempts: Int,
        retryAfter: Duration?,
        using generator: inout some RandomNumberGenerator,
    ) -> Duration {
        if let retryAfter {
            let asked = min(retryAfter, maximumRetryAfter)
            // A tenth on top keeps the requests that were refused together from coming back together.
            return asked + .nanoseconds(Int64.random(in: 0...max(asked.nanoseconds / 10, 1), using: &generator))
        }
        let doublings = min(attempts - 1, 16)
        let ceiling = min(firstWait * (1 << doublings), maximumWait)
        return .nanoseconds(Int64.random(in: 0...ceiling.nanoseconds, using: &generator))
    }
}
