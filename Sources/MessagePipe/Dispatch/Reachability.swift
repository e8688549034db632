// SPDX-License-Identifier: Apache-2.0

/// Whether the service was ever reached, and how long a run tries one that was not.
///
/// Once it was reached, whatever fails is a matter of each request.
struct Reachability: Sendable {
    /// How long a service that was never reached is tried.
    static let usualPatience = Duration.seconds(10)

    private let patience: Duration
    /// Whether a connection was ever made.
    private(set) var isReached = false
    /// When the service is given up, unless it is reached.
    private(set) var deadline: Instant?
    private var lastFailure: NotSentReason?

    /// - Parameter patience: How long a service that was never reached is tried.
    init(patience: Duration = usualPatience) {
        self.patience = patience
    }

    /// Why the last request did not leave, as long as the service was never reached.
    var failure: NotSentReason? { isReached ? nil : lastFailure }

    /// Notes that a connection was made.
    mutating func reached() {
        isReached = true
        deadline = nil
    }

    /// Notes that a request did not leave.
    ///
    /// - Parameters:
    ///   - reason: Why not.
    ///   - start: When it was to leave: the time runs from the first such moment, as a connection attempt may take long to fail.
    mutating func failed(_ reason: NotSentReason, startedAt start: Instant) {
        lastFailure = reason
        guard !isReached, deadline == nil else { return }
        deadline = start.advanced(by: patience)
    }

    /// Tells, once, that the service has been tried long enough.
    ///
    /// - Returns: Why the last request did not leave; `nil` while it is worth trying.
    mutating func takeUnreachable(at now: Instant) -> NotSentReason? {
        guard let deadline, deadline <= now else { return nil }
        self.deadline = nil
        return lastFailure
    }

    /// Notes that nothing is tried any more.
    mutating func end() {
        deadline = nil
    }
}
