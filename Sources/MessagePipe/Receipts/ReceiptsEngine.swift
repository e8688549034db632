// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// Turns what the service tells of by itself, by pushes or in queues, into lines, and lets go of it only when they are written.
///
/// No I/O and no clock: see ``Engine``. A push is answered, and a queue's message deleted, when its lines are out: what is lost
/// before comes again. What comes again within a day is answered, or deleted, without another line.
package struct ReceiptsEngine: ~Copyable {
    /// What is asked for a queue.
    package enum Call: Equatable, Sendable {
        /// A token for it.
        case token
        /// Messages.
        case receive
        /// The deletion of messages, by their handles.
        case delete([String])
    }

    /// A request that is to go out now; exactly one report about it must come back.
    package struct QueueRequest: Equatable, Sendable {
        /// Names the request in reports.
        package let id: RequestID
        /// Which of the queues it is for, counted from 0.
        package let queue: Int
        /// What it asks for.
        package let call: Call
    }

    /// Why a push is not taken.
    package enum PushRefusal: Equatable, Sendable {
        /// It is no JSON array of objects.
        case unreadable
        /// Too much waits to be written; it is to come again.
        case isFull
        /// The run is ending; it is to come again.
        case isEnding
    }

    /// What the user is told while the run goes on, once each.
    package enum Notice: Equatable, Sendable {
        /// A push could not be read.
        case unreadablePush
        /// A queue's message could not be read, and was left where it is.
        case unreadableMessage(QueueName, id: String)
        /// A queue cannot be asked, and is tried again.
        case failing(QueueName, why: String)
        /// Repeats may come through, as more receipts came within a day than are remembered.
        case forgetsEarly
    }

    /// What was done so far.
    package struct Tally: Equatable, Sendable {
        /// Lines about what became of messages that are written.
        package internal(set) var reports = 0
        /// Lines with replies that are written.
        package internal(set) var replies = 0
        /// Lines with what is neither that are written.
        package internal(set) var others = 0
        /// Receipts that had come before, and got no line.
        package internal(set) var repeats = 0
        /// Pushes that were answered as taken.
        package internal(set) var pushes = 0
        /// Pushes that could not be read.
        package internal(set) var unreadablePushes = 0
        /// Messages of queues that could not be read.
        package internal(set) var unreadableMessages = 0
        /// Messages that queues were asked to delete.
        package internal(set) var deleted = 0
    }

    /// Who waits for lines to be written.
    enum Delivery {
        case push(UInt64)
        case messages(queue: Int, handles: [String])
    }

    struct Flight {
        let queue: Int
        let call: Call
        let askedAt: Instant
        let timeoutAt: Instant
        var isAbandoned = false
    }

    /// The most messages that a request gets from a queue.
    package static let batchSize = QueueConsumer.batchSize
    /// How long a queue is asked to wait for messages, in seconds.
    package static let waitSeconds = 10
    /// How many bytes may wait to be written before more is refused, or not asked for.
    private static let maximumWaitingBytes = 64 << 20
    /// How many receipts are remembered; some 80 MiB.
    private static let maximumRemembered = 2_000_000

    let timeout: Duration
    private let drain: Duration
    private let keyed: KeyedDigest
    private var memory: ReceiptMemory
    var queues: [QueueConsumer]
    var generator: SeededGenerator
    var flights: [RequestID: Flight] = [:]
    var nextNumber: UInt64 = 1

    /// Lines that the output has not taken.
    private var waiting: [UInt8] = []
    /// What the tally is to count of them.
    private var waitingLines = Tally()
    /// What the output has taken and not written.
    private var taken: Deque<(bytes: Int, lines: Tally)> = []
    private var takenBytes = 0
    /// How many buffers the output has taken, and written.
    private var takeCount: UInt64 = 0
    private var writtenCount: UInt64 = 0
    /// Who waits for which buffer, in its order.
    private var deliveries: Deque<(buffer: UInt64, to: Delivery)> = []
    private var answered: Deque<(push: UInt64, isTaken: Bool)> = []

    /// Whether a queue was ever reached.
    var reachability = Reachability()
    var isTold: Set<String> = []
    private var notices: Deque<Notice> = []
    private var drainDeadline: Instant?

    /// What was done so far.
    package internal(set) var tally = Tally()
    /// What would have ended the run, one of each kind, the first first.
    package private(set) var stops: [StopReason] = []
    /// The signal that ended the run.
    package private(set) var endingSignal: Int32?

    /// - Parameters:
    ///   - queues: The queues whose messages are taken; none if there are pushes only.
    ///   - timeout: How long an answer is awaited.
    ///   - drain: How long the last messages are deleted after a signal.
    ///   - key: ``KeyedDigest/keyByteCount`` random bytes, so that nobody can make two receipts look alike.
    ///   - seed: Spreads attempts.
    ///   - maximumRemembered: How many receipts are remembered at most.
    package init(
        queues: [QueueName],
        timeout: Duration,
        drain: Duration = .seconds(10),
        key: [UInt8],
        seed: UInt64,
        maximumRemembered: Int = ReceiptsEngine.maximumRemembered,
    ) {
        self.timeout = timeout
        self.drain = drain
        keyed = KeyedDigest(key: key)
        memory = ReceiptMemory(maximumCount: maximumRemembered)
        self.queues = queues.map { QueueConsumer($0) }
        generator = SeededGenerator(seed: seed)
    }

    /// Whether no more is taken in.
    var isEnding: Bool { endingSignal != nil || !stops.isEmpty }

    /// Whether lines can still be written.
    private var canWrite: Bool {
        !stops.contains { stop in
            switch stop {
            case .outputClosed, .outputFailed: true
            default: false
            }
        }
    }

    var isFull: Bool { waiting.count + takenBytes >= Self.maximumWaitingBytes }

    // MARK: - Pushes

    /// Takes a push.
    ///
    /// - Parameters:
    ///   - id: Names it in ``nextAnswered()``.
    ///   - body: The whole body.
    ///   - now: The time.
    /// - Returns: Why it is not taken; `nil` if it is to be answered when ``nextAnswered()`` says so.
    package mutating func pushArrived(_ id: UInt64, _ body: Span<UInt8>, at now: Instant) -> PushRefusal? {
        guard !isEnding else { return .isEnding }
        guard !isFull else { return .isFull }
        var receipts: [Receipt] = []
        do throws(JSONError) {
            let range = 0..<body.count
            if try JSONScanner.check(body, in: range) == .object {
                receipts.append(try Receipt(body, in: range))
            } else {
                for element in try JSONScanner.elements(of: body, in: range) {
                    receipts.append(try Receipt(body, in: element.value))
                }
            }
        } catch {
            tally.unreadablePushes += 1
            tell(.unreadablePush, once: "push")
            return .unreadable
        }
        for receipt in receipts { add(receipt, body, at: now) }
        deliver(to: .push(id))
        return nil
    }

    /// A push that is to be answered now: as taken, or as one that is to come again.
    package mutating func nextAnswered() -> (push: UInt64, isTaken: Bool)? {
        answered.popFirst()
    }

    mutating func add(_ receipt: Receipt, _ bytes: Span<UInt8>, at now: Instant) {
        let isNew = memory.insert(receipt.digest(bytes, keyed), at: now)
        if memory.hasForgottenEarly { tell(.forgetsEarly, once: "memory") }
        guard isNew else {
            tally.repeats += 1
            return
        }
        switch receipt.type {
        case .report: waitingLines.reports += 1
        case .reply: waitingLines.replies += 1
        case nil: waitingLines.others += 1
        }
        receipt.appendLine(bytes, to: &waiting)
    }

    /// Has somebody wait until all lines so far are written: also one whose receipts are repeats, of lines that may not be yet.
    mutating func deliver(to delivery: Delivery) {
        deliveries.append((waiting.isEmpty ? takeCount : takeCount + 1, delivery))
        settleDeliveries()
    }

    /// How many pushes, and batches of a queue's messages, wait until their lines are written.
    package var waitingCount: Int { deliveries.count }

    private mutating func settleDeliveries() {
        while let first = deliveries.first, first.buffer <= writtenCount {
            deliveries.removeFirst()
            switch first.to {
            case .push(let id):
                tally.pushes += 1
                answered.append((id, true))
            case .messages(let queue, let handles): queues[queue].delete(handles)
            }
        }
    }

    // MARK: - Notices

    mutating func tell(_ notice: Notice, once name: String) {
        if isTold.insert(name).inserted { notices.append(notice) }
    }

    /// What the user is to be told now.
    package mutating func nextNotice() -> Notice? { notices.popFirst() }

    // MARK: - Output

    /// Hands lines to the output, as one buffer.
    ///
    /// - Parameter buffer: Receives whole lines; it is empty before.
    package mutating func takeOutput(into buffer: inout [UInt8]) {
        guard !waiting.isEmpty, canWrite else { return }
        swap(&buffer, &waiting)
        takeCount += 1
        taken.append((buffer.count, waitingLines))
        takenBytes += buffer.count
        waitingLines = Tally()
    }

    /// Reports that the oldest of the buffers is out.
    package mutating func outputWritten(at now: Instant) {
        // An output that was stalled until now gets its time to let go of what it has written.
        if isEnding { drainDeadline = now.advanced(by: drain) }
        if let (bytes, lines) = taken.popFirst() {
            takenBytes -= bytes
            tally.reports += lines.reports
            tally.replies += lines.replies
            tally.others += lines.others
        }
        writtenCount += 1
        settleDeliveries()
    }

    /// Reports that nobody reads the output any more.
    package mutating func outputClosed(at now: Instant) { stop(.outputClosed, at: now) }

    /// Reports that writing has failed.
    package mutating func outputFailed(_ what: String, at now: Instant) { stop(.outputFailed(what), at: now) }

    // MARK: - The end

    /// Reports a signal that asks for the end: what has come is written and let go of.
    package mutating func signalArrived(_ signal: Int32, at now: Instant) {
        endingSignal = endingSignal ?? signal
        drainDeadline = drainDeadline ?? now.advanced(by: drain)
    }

    /// Reports that pushes cannot be taken.
    package mutating func listeningFailed(_ why: String, at now: Instant) {
        stop(.unreachable(.noConnection(why)), at: now)
    }

    mutating func stop(_ reason: StopReason, at now: Instant) {
        guard !stops.contains(where: { $0.isSameKind(as: reason) }) else { return }
        stops.append(reason)
        drainDeadline = drainDeadline ?? now.advanced(by: drain)
        guard !canWrite else { return }
        // Nobody may take for written what is not.
        for (_, delivery) in deliveries {
            if case .push(let id) = delivery { answered.append((id, false)) }
        }
        deliveries.removeAll()
    }

    /// Whether the time is over in which what is written is let go of.
    func isGivenUp(at now: Instant) -> Bool {
        drainDeadline.map { $0 <= now } ?? false
    }

    /// Does what has become due.
    package mutating func deadlineReached(at now: Instant) {
        if let reason = reachability.takeUnreachable(at: now) { stop(.unreachable(reason), at: now) }
    }

    /// When the engine wants to be called with ``deadlineReached(at:)`` and asked for requests.
    package func nextDeadline(at now: Instant) -> Instant? {
        var next: Instant?
        func consider(_ instant: Instant) {
            next = min(next ?? instant, instant)
        }
        reachability.deadline.map(consider)
        for flight in flights.values where !flight.isAbandoned { consider(flight.timeoutAt) }
        if let drainDeadline, drainDeadline > now { consider(drainDeadline) }
        for queue in queues { queue.nextDeadline(after: now).map(consider) }
        return next
    }

    /// Whether the run is over: all that was taken in is written and let go of, or given up.
    package func isFinished(at now: Instant) -> Bool {
        guard isEnding, flights.isEmpty, answered.isEmpty else { return false }
        if isGivenUp(at: now) { return true }
        // For each line that waits, somebody does.
        return deliveries.isEmpty && !queues.contains { $0.hasDeletions }
    }
}
