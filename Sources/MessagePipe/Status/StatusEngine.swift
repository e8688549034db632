// SPDX-License-Identifier: Apache-2.0

import DequeModule
import HeapModule

/// The whole of what `status` decides: whom it asks about next, when it asks again, and which lines are due.
///
/// No I/O, no clock, no randomness of its own. Lines and answers come in with a time; the driver then asks what to do:
/// ``nextLookUp(at:today:)`` for look-ups to make, ``nextAbandoned()`` for those to give up, ``takeOutput(into:upTo:)`` for
/// lines, ``nextDeadline()`` for when to come back, ``released`` for how much may be read. To ask is free of risk, so whatever
/// fails is tried again.
///
/// A message is asked about on the day that its line names. Lines have no time of day, so whether a message left near midnight
/// in China, where our clock and the service's may differ about the day, is not known: the day after, once it has begun, and
/// the day before are asked for whenever there is no record on the day itself.
package struct StatusEngine: ~Copyable {
    /// How long a look-up that fails is tried again.
    static let deadline = Duration.seconds(120)
    /// How long answers are awaited after a signal.
    static let drain = Duration.seconds(10)

    /// One page that is to be asked for now; exactly one report about it must come back.
    package struct LookUp: Sendable {
        /// Names the look-up in reports.
        package let id: RequestID
        /// The number, without a prefix.
        package let phoneNumber: [UInt8]
        /// The day.
        package let sendDate: SendDate
        /// The receipt id; `nil` for all messages of the day.
        package let bizID: String?
        /// The page, from 1.
        package let page: Int
    }

    /// The pauses before a message is asked about again: the first, each then twice as long as the one before, and
    /// the longest.
    static let pauses = (first: Duration.seconds(1), longest: Duration.seconds(30))

    /// How many pages of a day are asked for: the service takes fewer messages to a number.
    static let maximumPage = 100

    private let wait: Duration
    private let timeout: Duration
    /// The waits between attempts of a look-up that fails.
    let retryPolicy = RetryPolicy()
    /// One for each line that is not out, in input order.
    private var inquiries: Deque<Inquiry> = []
    /// Those of them that may go on now.
    var ready: Deque<Inquiry> = []
    /// When they are to go on, or their look-ups to be given up; what an inquiry's own time contradicts is void.
    private var times = Heap<Timed>()
    private var abandoned: Deque<RequestID> = []
    /// Those that have a look-up under way, where its id says, and places without one.
    private var asking: [Inquiry?] = []
    private var freePlaces: [Int32] = []
    private var nextNumber: UInt64 = 1

    var limit: ConcurrencyLimit
    var pacer: Pacer
    var generator: SeededGenerator
    /// The day in China.
    var today: SendDate?
    /// When the gateway last answered.
    var lastAnswer: Instant?

    /// What the run has done so far.
    package internal(set) var tally = StatusTally()
    /// All that stopped the run from asking on, one of each kind, the first first; signals are not among them.
    package private(set) var stops: [StopReason] = []
    /// The signal that ended the run.
    package private(set) var endingSignal: Int32?
    /// How many lines, and bytes of input, were held and are not any more; for the reader's credit.
    package private(set) var released: (messages: Int, bytes: Int) = (0, 0)

    /// Whether the gateway was ever reached.
    var reachability = Reachability()
    /// Until when answers are awaited after a signal, and then the reader, which may be stuck in a read.
    private var drainDeadline: Instant?
    private var inputDeadline: Instant?
    private var isInputEnded = false
    /// Whether lines are dropped, because nobody reads them.
    private var discards = false

    /// Something that is due for an inquiry at a time.
    private struct Timed: Comparable {
        let at: Instant
        let inquiry: Inquiry

        /// Whether the inquiry still waits for this time.
        var isValid: Bool { inquiry.dueAt == at }

        static func < (one: Timed, other: Timed) -> Bool {
            (one.at, one.inquiry.line.number) < (other.at, other.inquiry.line.number)
        }

        static func == (one: Timed, other: Timed) -> Bool {
            one.at == other.at && one.inquiry === other.inquiry
        }
    }

    /// - Parameters:
    ///   - wait: How long after its line was read a message is asked about again; zero for once only.
    ///   - concurrency: The most look-ups under way.
    ///   - maximumLookUpsPerSecond: The most look-ups a second.
    ///   - timeout: How long an answer is awaited.
    ///   - seed: Spreads retries; the same seed gives the same run.
    package init(
        wait: Duration,
        concurrency: Int,
        maximumLookUpsPerSecond: Double?,
        timeout: Duration,
        seed: UInt64,
    ) {
        self.wait = wait
        self.timeout = timeout
        limit = ConcurrencyLimit(maximum: concurrency)
        pacer = Pacer(messagesPerSecond: maximumLookUpsPerSecond)
        generator = SeededGenerator(seed: seed)
    }

    /// Whether nothing more is asked.
    var isStopped: Bool { !stops.isEmpty || endingSignal != nil }

    // MARK: - Input

    /// Takes lines that were read.
    ///
    /// - Parameters:
    ///   - chunk: The lines as ``PlainLineParser`` has left them.
    ///   - now: The time.
    package mutating func chunkArrived(_ chunk: Chunk, at now: Instant) {
        for message in chunk.messages {
            let inquiry = Inquiry(SentLine(message, of: chunk), askedUntil: now.advanced(by: wait))
            tally.lines += 1
            inquiries.append(inquiry)
            let isToBeAsked = inquiry.search != nil && inquiry.line.finalStatus == nil && !isStopped
            if isToBeAsked { ready.append(inquiry) } else { settle(inquiry) }
        }
    }

    /// Tells that the input has ended.
    package mutating func inputEnded() {
        isInputEnded = true
    }

    // MARK: - Look-ups

    /// The next look-up that is to be made now; `nil` if none may.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - today: The day in China by the gateway's clock.
    /// - Returns: The look-up, which counts as under way from now on.
    package mutating func nextLookUp(at now: Instant, today: SendDate) -> LookUp? {
        self.today = today
        guard !isStopped, inFlightCount < permits, pacer.allows(at: now), let inquiry = ready.popFirst(),
            let search = inquiry.search
        else { return nil }
        let place = freePlaces.popLast() ?? Int32(asking.count)
        if Int(place) == asking.count { asking.append(nil) }
        asking[Int(place)] = inquiry
        let id = RequestID(batch: place, number: nextNumber)
        nextNumber += 1
        inquiry.started(id, at: now)
        wake(inquiry, at: now.advanced(by: timeout))
        pacer.sent(1, at: now, using: &generator)
        tally.lookUps += 1
        return LookUp(
            id: id,
            phoneNumber: search.phoneNumber,
            sendDate: inquiry.date ?? search.sendDate,
            bizID: search.bizID,
            page: inquiry.page,
        )
    }

    private var permits: Int { max(limit.current, min(pacer.neededConcurrency, limit.maximum)) }

    /// How many look-ups are under way.
    package var inFlightCount: Int { asking.count - freePlaces.count }

    /// The inquiry whose look-up is under way; `nil` once that is reported.
    private func inquiry(_ id: RequestID) -> Inquiry? {
        guard let inquiry = asking[Int(id.batch)], inquiry.lookUp == id else { return nil }
        return inquiry
    }

    /// Lets a look-up leave that has waited for its connection: the time for its answer begins anew.
    package mutating func leaves(_ id: RequestID, at now: Instant) {
        if let inquiry = inquiry(id) { wake(inquiry, at: now.advanced(by: timeout)) }
    }

    /// The next look-up that is to be given up, its report still due.
    package mutating func nextAbandoned() -> RequestID? {
        while let id = abandoned.popFirst() {
            if inquiry(id) != nil { return id }
        }
        return nil
    }

    /// Notes that the one report about a look-up has come.
    mutating func take(_ id: RequestID) -> Inquiry {
        guard let inquiry = inquiry(id) else {
            preconditionFailure("look-up \(id.number) is reported, but is not under way")
        }
        asking[Int(id.batch)] = nil
        freePlaces.append(id.batch)
        inquiry.reported()
        return inquiry
    }

    /// Tells that a connection to the gateway was made, certificate checked.
    package mutating func connected() {
        reachability.reached()
    }

    // MARK: - Time

    /// Sees that an inquiry is looked at again at a time.
    mutating func wake(_ inquiry: Inquiry, at instant: Instant) {
        inquiry.dueAt = instant
        times.insert(Timed(at: instant, inquiry: inquiry))
    }

    /// When the engine wants to be called with ``deadlineReached(at:)``; `nil` if it waits for nothing but events.
    package mutating func nextDeadline() -> Instant? {
        while let first = times.min, !first.isValid { times.removeMin() }
        var next = times.min?.at
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            next = min(next ?? instant, instant)
        }
        consider(reachability.deadline)
        consider(drainDeadline)
        consider(inputDeadline)
        if !isStopped, !ready.isEmpty, inFlightCount < permits { consider(pacer.nextPermit) }
        return next
    }

    /// Does what has become due.
    package mutating func deadlineReached(at now: Instant) {
        while let first = times.min, first.at <= now {
            times.removeMin()
            guard first.isValid else { continue }
            first.inquiry.dueAt = nil
            if let id = first.inquiry.lookUp { abandoned.append(id) } else { ready.append(first.inquiry) }
        }
        if let reason = reachability.takeUnreachable(at: now) { stop(.unreachable(reason)) }
        if let deadline = drainDeadline, deadline <= now {
            drainDeadline = nil
            abandonAll()
            // The reader may be stuck in a read that does not return.
            if !isInputEnded { inputDeadline = now.advanced(by: .seconds(1)) }
        }
        if let deadline = inputDeadline, deadline <= now {
            inputDeadline = nil
            isInputEnded = true
        }
    }

    // MARK: - The end

    /// Tells that a signal asks for the end: nothing more is asked, answers are awaited for the drain time.
    package mutating func signalArrived(_ signal: Int32, at now: Instant) {
        guard endingSignal == nil else { return }
        endingSignal = signal
        drainDeadline = now.advanced(by: Self.drain)
        settleWaiting()
    }

    /// Tells that nobody reads the output any more.
    package mutating func outputClosed() {
        discards = true
        stop(.outputClosed)
        abandonAll()
    }

    /// Tells that writing failed for good.
    package mutating func outputFailed(_ what: String) {
        discards = true
        stop(.outputFailed(what))
        abandonAll()
    }

    /// Ends asking; lines come out as they are from now on.
    mutating func stop(_ reason: StopReason) {
        if !stops.contains(where: { $0.isSameKind(as: reason) }) { stops.append(reason) }
        reachability.end()
        // Later ones are settled as they come.
        if stops.count == 1, endingSignal == nil { settleWaiting() }
    }

    /// Settles all inquiries that have no look-up under way.
    private mutating func settleWaiting() {
        ready.removeAll()
        for inquiry in inquiries where !inquiry.isSettled && inquiry.lookUp == nil { settle(inquiry) }
    }

    private mutating func abandonAll() {
        for case let inquiry? in asking {
            if let id = inquiry.lookUp { abandoned.append(id) }
        }
    }

    /// Whether there is nothing left to do but to write what ``takeOutput(into:upTo:)`` has given.
    package var isFinished: Bool {
        discards ? inFlightCount == 0 : isInputEnded && inquiries.isEmpty
    }

    // MARK: - Output

    /// Appends lines that are due.
    ///
    /// - Parameters:
    ///   - buffer: Receives whole lines.
    ///   - limit: No further line is begun once the buffer holds this many bytes.
    package mutating func takeOutput(into buffer: inout [UInt8], upTo limit: Int) {
        while buffer.count < limit, let first = inquiries.first, first.isSettled {
            if !discards { first.line.append(first.record, isFound: first.isFound, to: &buffer) }
            released.messages += 1
            released.bytes += first.line.inputByteCount
            inquiries.removeFirst()
        }
    }
}
