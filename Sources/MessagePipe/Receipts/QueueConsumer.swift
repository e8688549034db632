// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// Decides what is asked of one queue, and when.
///
/// It waits for messages with one request while the queue is empty, and with more at once while it hands out as many as a request
/// can get. A message is deleted once its line is written. A deletion that fails is tried again; when the message has come back
/// meanwhile, as the repeat that it is.
struct QueueConsumer {
    /// The most messages that one request gets or deletes.
    ///
    /// Source: api 5.2.
    static let batchSize = 16
    /// The most requests that wait for messages at once.
    private static let maximumReceivers = 8
    /// The most deletions under way.
    private static let maximumDeletions = 8
    /// The most messages that wait for their deletion; of more, those that came first come back.
    private static let maximumHandles = 4096
    /// How long a token is taken to live at least, in seconds.
    private static let shortestLife = 2
    /// How long before its end a token is renewed, in seconds; one that lives shorter, after two thirds.
    ///
    /// Source: api 5.2.
    private static let margin = 120
    /// How soon an empty queue is asked again that does not wait for messages as it is asked to.
    private static let pause = Duration.seconds(1)
    private static let retryPolicy = RetryPolicy(firstWait: .seconds(1), maximumWait: .seconds(30))

    let name: QueueName
    private var token: (since: Instant, dueAt: Instant, endsAt: Instant)?
    private var isTokenUnderWay = false
    private var receivers = 1
    private var receiving = 0
    private var deleting = 0
    private var handles: Deque<String> = []
    private var pausedUntil = Instant.beforeAll
    private var failures = 0
    private var deletionsPausedUntil = Instant.beforeAll
    private var deletionFailures = 0

    init(_ name: QueueName) {
        self.name = name
    }

    /// Whether requests of a kind have failed since the last one that did not.
    func isFailing(_ call: ReceiptsEngine.Call) -> Bool {
        if case .delete = call { deletionFailures > 0 } else { failures > 0 }
    }

    /// Whether messages are still to be deleted.
    var hasDeletions: Bool { !handles.isEmpty || deleting > 0 }

    /// What is to be asked now.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - receives: Whether more messages are wanted.
    /// - Returns: What to ask; `nil` if nothing is to be asked now.
    mutating func next(at now: Instant, receives: Bool) -> ReceiptsEngine.Call? {
        let isValid = token.map { now < $0.endsAt } ?? false
        guard now >= pausedUntil else { return nil }
        if !isTokenUnderWay, receives || !handles.isEmpty, token.map({ $0.dueAt <= now }) ?? true {
            isTokenUnderWay = true
            return .token
        }
        guard isValid else { return nil }
        if !handles.isEmpty, deleting < Self.maximumDeletions, now >= deletionsPausedUntil {
            deleting += 1
            let taken = Array(handles.prefix(Self.batchSize))
            handles.removeFirst(taken.count)
            return .delete(taken)
        }
        guard receives, receiving < receivers else { return nil }
        receiving += 1
        return .receive
    }

    /// When ``next(at:receives:)`` is to be asked again though nothing has happened; `nil` if only an event can change its answer.
    func nextDeadline(after now: Instant) -> Instant? {
        if pausedUntil > now { return pausedUntil }
        if !handles.isEmpty, deletionsPausedUntil > now { return deletionsPausedUntil }
        return token.flatMap { $0.dueAt > now ? $0.dueAt : nil }
    }

    /// Notes that written messages are to be deleted.
    mutating func delete(_ handles: [String]) {
        self.handles.append(contentsOf: handles)
        self.handles.removeFirst(max(0, self.handles.count - Self.maximumHandles))
    }

    // MARK: - What came of it

    /// Notes a token that lives so many seconds.
    mutating func tokenArrived(lifetime: Int, at now: Instant) {
        isTokenUnderWay = false
        let lifetime = max(Self.shortestLife, min(lifetime, 86_400))
        let dueAt = lifetime - min(Self.margin, (lifetime + 2) / 3)
        token = (now, now.advanced(by: .seconds(dueAt)), now.advanced(by: .seconds(lifetime)))
    }

    /// Notes how many messages a request got.
    mutating func received(_ count: Int, askedAt: Instant, at now: Instant) {
        receiving -= 1
        failures = 0
        if count >= Self.batchSize {
            receivers = min(receivers * 2, Self.maximumReceivers)
        } else if count == 0 {
            receivers = 1
            if askedAt.duration(to: now) < Self.pause { pausedUntil = askedAt.advanced(by: Self.pause) }
        }
    }

    /// Notes a deletion.
    mutating func deleted() {
        deleting -= 1
        deletionFailures = 0
    }

    /// Notes that a request got no answer, or one that is of no use.
    mutating func failed(
        _ call: ReceiptsEngine.Call,
        at now: Instant,
        using generator: inout some RandomNumberGenerator,
    ) {
        abandoned(call)
        // At least half a second: without a lower end, one in many waits would be none.
        func end(of failures: Int, _ generator: inout some RandomNumberGenerator) -> Instant {
            let wait = Self.retryPolicy.wait(after: failures, retryAfter: nil, using: &generator)
            return now.advanced(by: wait + .milliseconds(500))
        }
        if case .delete = call {
            deletionFailures += 1
            deletionsPausedUntil = max(deletionsPausedUntil, end(of: deletionFailures, &generator))
        } else {
            receivers = 1
            failures += 1
            pausedUntil = max(pausedUntil, end(of: failures, &generator))
        }
    }

    /// Notes that the queue does not take the token; one that it should have taken is renewed at once, else after a wait.
    mutating func tokenRefused(
        _ call: ReceiptsEngine.Call,
        at now: Instant,
        using generator: inout some RandomNumberGenerator,
    ) {
        let isNew = token.map { $0.since.duration(to: now) < .seconds(10) } ?? false
        token = nil
        if isNew { failed(call, at: now, using: &generator) } else { abandoned(call) }
    }

    /// Notes that a request has ended without anything having come of it.
    mutating func abandoned(_ call: ReceiptsEngine.Call) {
        switch call {
        case .token: isTokenUnderWay = false
        case .receive: receiving -= 1
        case .delete(let handles):
            deleting -= 1
            delete(handles)
        }
    }
}
