// SPDX-License-Identifier: Apache-2.0

import DequeModule
import HeapModule

/// Decides which batch goes to the gateway next, and when.
///
/// A batch is in one place at a time: waiting for a permit, backing off, in flight, or in doubt. All that the dispatcher hands
/// out it takes out of that place.
struct Dispatcher: ~Copyable {
    /// A batch that comes up at a time.
    private struct Timed: Comparable {
        let at: Instant
        let index: BatchTable.Index
        let serial: UInt64

        static func < (one: Timed, other: Timed) -> Bool {
            (one.at, one.serial) < (other.at, other.serial)
        }
    }

    private var urgent: Deque<BatchTable.Index> = []
    private var ready: Deque<BatchTable.Index> = []
    private var backingOff = Heap<Timed>()
    private var doubtful = Heap<Timed>()
    private var dueLookUps: Deque<BatchTable.Index> = []
    /// Requests in flight by the time of their time-out, which is the order in which they were started, or have left later.
    private var timeouts: Deque<(request: RequestID, at: Instant)> = []
    private var abandoned: Deque<RequestID> = []
    private var nextNumber: UInt64 = 1
    /// A time before which no waiting batch can have expired.
    private var firstExpiry: Instant?

    private var limit: ConcurrencyLimit
    private var pacer: Pacer
    private(set) var inFlightCount = 0
    private var lookUpsInFlight = 0
    /// Batches that are being recorded before they leave.
    var recordedCount = 0
    private var permits: Int {
        if !reachability.isReached, startsAlone { return 1 }
        return max(limit.current, min(pacer.neededConcurrency, limit.maximum))
    }
    /// Whether one request at a time is handed out while nobody knows whether there is a gateway at all.
    ///
    /// What is recorded before would be in doubt, and what waits for a connection would leave at once, whatever the rate.
    private let startsAlone: Bool
    /// Whether one more request may be in flight; look-ups count too.
    var mayLeave: Bool { inFlightCount + lookUpsInFlight < permits }
    /// Whether one more batch may be taken: to leave at once, or with a journal to be recorded first.
    private var hasPermit: Bool { inFlightCount + lookUpsInFlight + recordedCount < permits }

    /// How many batches are kept ready at least, so that the next one is at hand while more input is read.
    private static let minimumReady = 8
    /// Whether a quarter as many batches are ready as may be in flight: more come in while these leave.
    ///
    /// As many as may be in flight gave the same throughput for two to seventeen MiB more; an eighth gave less over loopback.
    var hasEnough: Bool { urgent.count + ready.count >= max(permits / 4, Self.minimumReady) }

    /// Whether the gateway was ever reached.
    var reachability: Reachability

    init(concurrency: Int, maximumMessagesPerSecond: Double?, startsAlone: Bool, unreachableAfter: Duration) {
        self.startsAlone = startsAlone
        reachability = Reachability(patience: unreachableAfter)
        limit = ConcurrencyLimit(maximum: concurrency)
        pacer = Pacer(messagesPerSecond: maximumMessagesPerSecond)
    }

    // MARK: - Waiting

    /// Takes a batch that is ready, behind all others of its kind.
    mutating func enqueue(_ index: BatchTable.Index, expiresAt: Instant, _ batches: borrowing BatchTable) {
        if batches[index].isUrgent { urgent.append(index) } else { ready.append(index) }
        firstExpiry = min(firstExpiry ?? expiresAt, expiresAt)
    }

    /// Takes a batch that is ready, ahead of others that are not urgent.
    mutating func enqueueNext(_ index: BatchTable.Index, expiresAt: Instant) {
        ready.prepend(index)
        firstExpiry = min(firstExpiry ?? expiresAt, expiresAt)
    }

    /// Takes a batch that was with the gateway already, ahead of all others.
    mutating func enqueueFirst(_ index: BatchTable.Index, expiresAt: Instant) {
        urgent.prepend(index)
        firstExpiry = min(firstExpiry ?? expiresAt, expiresAt)
    }

    /// Takes a batch that may be tried again at a time.
    mutating func backOff(
        _ index: BatchTable.Index,
        until: Instant,
        expiresAt: Instant,
        _ batches: borrowing BatchTable,
    ) {
        backingOff.insert(Timed(at: until, index: index, serial: batches[index].serial))
        firstExpiry = min(firstExpiry ?? expiresAt, expiresAt)
    }

    /// Takes a batch that is to be looked up at a time.
    mutating func doubt(_ index: BatchTable.Index, lookUpAt: Instant, _ batches: borrowing BatchTable) {
        doubtful.insert(Timed(at: lookUpAt, index: index, serial: batches[index].serial))
    }

    /// How many batches it keeps to hand out: now, when they may be tried again, or when they are to be looked up.
    var waitingCount: Int { urgent.count + ready.count + backingOff.count + doubtful.count + dueLookUps.count }

    /// Whether batches in doubt wait for a look-up or its answer.
    var hasDoubts: Bool { !doubtful.isEmpty || !dueLookUps.isEmpty || lookUpsInFlight > 0 }

    /// Moves what has waited long enough to where it can be handed out.
    mutating func makeDue(at now: Instant) {
        var due: [BatchTable.Index] = []
        while let next = backingOff.min, next.at <= now {
            backingOff.removeMin()
            due.append(next.index)
        }
        for index in due.reversed() { urgent.prepend(index) }
        while let next = doubtful.min, next.at <= now {
            doubtful.removeMin()
            dueLookUps.append(next.index)
        }
        while let next = timeouts.first, next.at <= now {
            timeouts.removeFirst()
            abandoned.append(next.request)
        }
    }

    /// Takes out all batches that have not left.
    mutating func takeWaiting() -> [BatchTable.Index] {
        var taken = Array(urgent)
        taken.append(contentsOf: ready)
        while let next = backingOff.popMin() { taken.append(next.index) }
        urgent.removeAll()
        ready.removeAll()
        firstExpiry = nil
        return taken
    }

    /// Takes out all batches that are in doubt and not being looked up at this moment.
    mutating func takeDoubtful() -> [BatchTable.Index] {
        var taken = Array(dueLookUps)
        while let next = doubtful.popMin() { taken.append(next.index) }
        dueLookUps.removeAll()
        return taken
    }

    /// Takes out the waiting batches whose oldest message is past its deadline.
    mutating func takeExpired(
        _ batches: borrowing BatchTable,
        at now: Instant,
        deadline: Duration,
    ) -> [BatchTable.Index] {
        guard let first = firstExpiry, first <= now else { return [] }
        var expired: [BatchTable.Index] = []
        var next: Instant?
        func keeps(_ index: BatchTable.Index) -> Bool {
            let expiry = batches[index].oldest.advanced(by: deadline)
            guard expiry > now else {
                expired.append(index)
                return false
            }
            next = min(next ?? expiry, expiry)
            return true
        }
        urgent = Deque(urgent.filter(keeps))
        ready = Deque(ready.filter(keeps))
        backingOff = Heap(backingOff.unordered.filter { keeps($0.index) })
        firstExpiry = next
        return expired
    }

    // MARK: - Handing out

    /// Takes out the batch that may be looked up now.
    mutating func nextLookUp() -> BatchTable.Index? {
        mayLeave ? dueLookUps.popFirst() : nil
    }

    /// Whether a batch may be sent now.
    func mayHandOut(at now: Instant) -> Bool {
        hasPermit && pacer.allows(at: now)
    }

    /// Whether a batch is ready that goes before an open one: it is urgent, or was begun earlier.
    func hasReady(before open: BatchTable.Index, _ batches: borrowing BatchTable) -> Bool {
        !urgent.isEmpty || ready.first.map { batches[$0].serial < batches[open].serial } ?? false
    }

    /// When a batch that is due can leave; `nil` if only an event can make room for it.
    func earliestStart(due: Instant) -> Instant? {
        guard hasPermit else { return nil }
        return max(due, pacer.nextPermit ?? due)
    }

    /// Takes out the batch that may be sent now.
    mutating func nextBatch(at now: Instant) -> BatchTable.Index? {
        guard mayHandOut(at: now) else { return nil }
        return urgent.popFirst() ?? ready.popFirst()
    }

    /// Notes that a batch leaves: the next one may have to wait.
    mutating func sent(_ messages: Int, at now: Instant, using generator: inout some RandomNumberGenerator) {
        pacer.sent(messages, at: now, using: &generator)
    }

    /// Notes that the messages of a request that was not taken will leave again.
    mutating func returned(_ messages: Int, sentAt: Instant, at now: Instant) {
        pacer.returned(messages, sentAt: sentAt, at: now)
    }

    /// Notes that a request is handed out, and names it.
    mutating func started(_ index: BatchTable.Index, timeoutAt: Instant, isLookUp: Bool) -> RequestID {
        let id = RequestID(batch: index, number: nextNumber)
        nextNumber += 1
        if isLookUp { lookUpsInFlight += 1 } else { inFlightCount += 1 }
        timeouts.append((id, timeoutAt))
        return id
    }

    /// Notes that a request leaves only now, so that its time-out is later.
    mutating func restarted(_ id: RequestID, timeoutAt: Instant) {
        if let index = timeouts.lastIndex(where: { $0.request == id }) { timeouts.remove(at: index) }
        timeouts.append((id, timeoutAt))
    }

    /// Notes that the one report about a request has come.
    mutating func ended(isLookUp: Bool) {
        if isLookUp { lookUpsInFlight -= 1 } else { inFlightCount -= 1 }
    }

    /// The next request that is to be given up; it may have ended meanwhile.
    mutating func nextAbandoned() -> RequestID? {
        abandoned.popFirst()
    }

    /// Gives up all requests in flight.
    mutating func abandonAll() {
        for entry in timeouts { abandoned.append(entry.request) }
        timeouts.removeAll()
    }

    /// Drops time-outs of requests that have ended.
    mutating func dropEndedTimeouts(_ batches: borrowing BatchTable) {
        while let first = timeouts.first, !isPending(first.request, batches) { timeouts.removeFirst() }
    }

    /// Whether a request is still with the gateway.
    func isPending(_ id: RequestID, _ batches: borrowing BatchTable) -> Bool {
        batches[id.batch].request == id.number
            && (batches[id.batch].phase == .inFlight || batches[id.batch].phase == .inLookUp)
    }

    // MARK: - What the gateway makes of it

    /// Notes an answer that took a request or refused it for good.
    mutating func answered(sentAt: Instant, at now: Instant) {
        limit.answered()
        pacer.accepted(sentAt: sentAt, at: now)
    }

    /// Notes that the gateway refused a request for sending too fast.
    ///
    /// Only the refused request waits as long as the gateway asks; the others go on at a lower rate, and slowly if all are
    /// refused.
    mutating func throttled(sentAt: Instant, at now: Instant, using generator: inout some RandomNumberGenerator) {
        limit.throttled(sentAt: sentAt, at: now)
        pacer.throttled(sentAt: sentAt, at: now, inFlightCount: inFlightCount, using: &generator)
    }

    // MARK: - Time

    /// When something becomes due without an event.
    mutating func nextDeadline(_ batches: borrowing BatchTable, isSending: Bool) -> Instant? {
        dropEndedTimeouts(batches)
        var next = timeouts.first?.at
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            next = min(next ?? instant, instant)
        }
        consider(backingOff.min?.at)
        consider(doubtful.min?.at)
        consider(firstExpiry)
        consider(reachability.deadline)
        if isSending, !urgent.isEmpty || !ready.isEmpty, hasPermit { consider(pacer.nextPermit) }
        return next
    }
}
