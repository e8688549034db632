// SPDX-License-Identifier: Apache-2.0

/// The whole of what smspipe decides: which messages share a request, when it goes, and what became of each.
///
/// No I/O, no clock, no randomness of its own. Events come in with a time; the driver then asks what to do:
/// ``nextRequest(at:sendDate:)`` for requests to send, ``nextAbandoned(at:)`` for those to give up, ``takeOutput(into:upTo:)``
/// for response lines, ``nextDeadline()`` for when to come back, ``window`` and ``released`` for how much to read. The same
/// events give the same answers.
package struct Engine: ~Copyable {
    package let configuration: Configuration
    var messages = MessageTable()
    var batches: BatchTable
    var batcher: Batcher
    var dispatcher: Dispatcher
    /// How much may be read and not yet answered now.
    package private(set) var window: Window
    var width: WindowWidth
    var ownOutIDs: OwnOutIDs
    var answers = AnswerTable()
    var responses: ResponseQueue
    var journal: Journal
    var generator: SeededGenerator
    /// Gateway refusals with a code that nobody knows: the batch that had the last one, until another answer comes.
    var lastUnknownRefusal: UInt64?

    /// The number of the last line that was read.
    private var lastLine: UInt64 = 0

    /// What the run has done so far.
    package var tally = Tally()
    /// Why the run stopped sending, if it did.
    package internal(set) var stop: StopReason?
    /// All that would have stopped it, one of each kind, the first first.
    package var stops: [StopReason] {
        // Messages may all have passed their deadlines before the gateway was given up.
        guard let reason = dispatcher.reachability.failure, tally[.skipped] > 0 else { return stopsSoFar }
        let isTold = stopsSoFar.contains { $0.isSameKind(as: .unreachable(reason)) }
        return isTold ? stopsSoFar : stopsSoFar + [.unreachable(reason)]
    }
    var stopsSoFar: [StopReason] = []
    /// The signal that ended the run, even if sending had to stop for another reason too.
    package internal(set) var endingSignal: Int32?
    /// Until when answers are awaited after a signal.
    var drainDeadline: Instant?
    /// When the input counts as ended though its reader has not said so, once waiting is over.
    var inputDeadline: Instant?
    /// Whether nothing is awaited any more: what comes back late is unknown.
    var isGivenUp = false
    /// Whether nothing more leaves, as the drain time ends before it would be answered.
    var isTooLateToStart = false
    /// How long answers take, as they have taken last; zero before the first.
    var answerTime: Duration = .zero
    var isInputEnded = false

    /// - Parameters:
    ///   - configuration: How the run batches, sends and answers.
    ///   - seed: Spreads retries; the same seed gives the same run.
    ///   - journal: The journal of the run; `nil` for none. With one, chunks have to bring their messages' identities.
    package init(_ configuration: Configuration, seed: UInt64, journal: consuming Journal? = nil) {
        self.configuration = configuration
        self.journal = journal ?? .none
        batches = BatchTable(runID: configuration.runID)
        batcher = Batcher(size: configuration.batchSize, linger: configuration.linger)
        dispatcher = Dispatcher(
            concurrency: configuration.concurrency,
            maximumMessagesPerSecond: configuration.maximumMessagesPerSecond,
            startsAlone: self.journal.isKept || configuration.maximumMessagesPerSecond != nil,
            unreachableAfter: configuration.unreachableAfter,
        )
        window = Window(messages: configuration.window, bytes: configuration.maximumHeldBytes)
        width = WindowWidth(
            narrowest: configuration.window,
            widest: configuration.widestWindow,
            batchSize: configuration.batchSize,
            deadline: configuration.deadline,
        )
        ownOutIDs = OwnOutIDs(timeout: configuration.timeout)
        responses = ResponseQueue(
            keepsInputOrder: configuration.keepsInputOrder,
            line: ResponseLine(echoes: configuration.echoes),
        )
        generator = SeededGenerator(seed: seed)
    }

    /// How many records of each kind are in use; all zero once every line is out.
    package struct Occupancy: Equatable, Sendable {
        /// Messages that were read and whose response line is not out.
        package var messages = 0
        /// Bytes of input that they hold.
        package var bytes = 0
        /// Batches that are not settled.
        package var batches = 0
        /// Answers that response lines still need.
        package var answers = 0
        /// Batches that the dispatcher keeps to hand out later, now or at a time.
        package var waiting = 0

        /// Creates the occupancy of an engine at rest, or one to compare with.
        package init() {}
    }

    /// What the engine holds now.
    package var occupancy: Occupancy {
        var occupancy = Occupancy()
        occupancy.messages = messages.count
        occupancy.bytes = messages.byteCount
        occupancy.batches = batches.inUse
        occupancy.answers = answers.inUse
        occupancy.waiting = dispatcher.waitingCount
        return occupancy
    }

    // MARK: - Input

    /// How many more messages may be read now.
    package var room: Int {
        if messages.count > 0, messages.byteCount >= window.bytes { return 0 }
        return max(0, window.messages - messages.count)
    }

    /// Whether more input would only wait: enough full batches are ready to leave for those in flight, or the output has
    /// fallen behind the answers.
    ///
    /// The window is then for what keeps batches from filling, or their lines from coming out in order; memory, and what the
    /// processor has at hand, are small in between.
    ///
    /// - Parameter isOutputFull: Whether lines that are due cannot be taken now.
    /// - Returns: Whether to pause reading.
    package func hasEnough(whileOutputIsFull isOutputFull: Bool) -> Bool {
        if isOutputFull, tally.answered - messages.released.messages >= Self.enoughAnswered { return true }
        return mayStart && dispatcher.hasEnough
    }

    /// How many answered messages may wait for the output before reading waits for it: some buffers full, so that reading is
    /// under way again before the output has nothing to do.
    private static let enoughAnswered = 2048

    /// How many messages, and bytes of input, were held and are not any more; for the reader's credit.
    package var released: (messages: Int, bytes: Int) { messages.released }

    /// An emptied chunk with the storage of one whose messages are gone, for the reader to fill again.
    package mutating func takeSpareChunk() -> Chunk? { messages.takeSpare() }

    /// Takes messages that were read and parsed.
    package mutating func chunkArrived(_ chunk: consuming Chunk, at now: Instant) {
        guard !chunk.messages.isEmpty else { return }
        let messageCount = chunk.messages.count
        let faults = chunk.faults
        let mayBeKnown = journal.isKept && !chunk.areNew
        tally.messages += messageCount
        let held = messages.hold(chunk)
        responses.arrived(chunk: held)
        lastLine = messages[MessageTable.Slot(chunk: held, place: UInt32(messageCount - 1))].line
        for place in 0..<messageCount {
            let slot = MessageTable.Slot(chunk: held, place: UInt32(truncatingIfNeeded: place))
            if batcher.isSpread, place % Batcher.prefetchCount == 0 {
                let next = place..<min(place + Batcher.prefetchCount, messageCount)
                batcher.prefetch(next, ofChunk: held, messages, batches)
            }
            if let fault = messages[slot].fault {
                let fault = faults[Int(fault)]
                settle(slot, Response(.invalid, code: fault.code, message: fault.message))
            } else if mayBeKnown, isKnown(slot, at: now) {
                continue
            } else if let stop {
                settle(slot, stop.response)
            } else if let closed = batcher.add(slot, of: messages, to: &batches, at: now) {
                batchClosed(closed)
            }
        }
        resizeWindow(at: configuration.isDryRun ? nil : now)
        if isFull, window.reserve == 0 || configuration.isDryRun { flush() }
    }

    /// Tells that no more input is ready to be read.
    package mutating func inputIdled(at now: Instant) {
        if configuration.linger == .zero { flush() }
    }

    /// Tells that the input has ended.
    package mutating func inputEnded(at now: Instant) {
        isInputEnded = true
        flush()
    }

    /// Sends what is batched, however little it is.
    package mutating func flushRequested(at now: Instant) {
        flush()
    }

    // MARK: - Time

    /// When the engine wants to be called with ``deadlineReached(at:)``; `nil` if it waits for nothing but events.
    package mutating func nextDeadline() -> Instant? {
        var next: Instant?
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            next = min(next ?? instant, instant)
        }
        if mayStart, let due = oldestIfFull() != nil ? .beforeAll : batcher.nextDue(batches) {
            consider(dispatcher.earliestStart(due: due))
        }
        if let oldest = batcher.oldest(batches) { consider(expiry(of: oldest)) }
        consider(dispatcher.nextDeadline(batches, isSending: mayStart))
        consider(drainDeadline)
        consider(inputDeadline)
        return next
    }

    /// Does what has become due.
    package mutating func deadlineReached(at now: Instant) {
        if configuration.isDryRun { planDue(at: now) }
        while let oldest = batcher.oldest(batches), expiry(of: oldest) <= now {
            batcher.close(oldest, in: &batches)
            expire(oldest)
        }
        dispatcher.makeDue(at: now)
        for index in dispatcher.takeExpired(batches, at: now, deadline: configuration.deadline) {
            expire(index)
        }
        if let reason = dispatcher.reachability.takeUnreachable(at: now) { stopSending(.unreachable(reason), at: now) }
        if let drainDeadline, drainDeadline <= now { giveUp(at: now) }
        if let inputDeadline, inputDeadline <= now {
            self.inputDeadline = nil
            isInputEnded = true
        }
    }

    // MARK: - Batches

    /// Answers what would leave now, in a dry run.
    mutating func planDue(at now: Instant) {
        while let due = batcher.oldestDue(batches, at: now) { close(due) }
    }

    /// Declares what is batched due: it leaves as soon as it can, and fills meanwhile.
    mutating func flush() {
        if configuration.isDryRun { closeAll() } else { batcher.flush(batches) }
    }

    mutating func closeAll() {
        while let oldest = batcher.oldest(batches) { close(oldest) }
    }

    private mutating func close(_ index: BatchTable.Index) {
        batcher.close(index, in: &batches)
        batchClosed(index)
    }

    /// The next batch that may leave now: the oldest of those that are full and the one that is due.
    mutating func nextBatch(at now: Instant) -> BatchTable.Index? {
        while true {
            if dispatcher.mayHandOut(at: now), let due = batcher.oldestDue(batches, at: now) ?? oldestIfFull(),
                !dispatcher.hasReady(before: due, batches)
            {
                batcher.close(due, in: &batches)
                dispatcher.enqueueNext(due, expiresAt: expiry(of: due))
            }
            guard let index = dispatcher.nextBatch(at: now) else { return nil }
            if expiry(of: index) > now {
                dispatcher.sent(batches[index].count, at: now, using: &generator)
                return index
            }
            expire(index)
        }
    }

    /// Whether no more is read until messages have had their response lines.
    private var isFull: Bool { room <= window.reserve }

    /// Widens a full window if batches fill then, and narrows a wide one if the gateway does not keep up with it.
    ///
    /// - Parameter now: The time; `nil` if nothing is sent.
    mutating func resizeWindow(at now: Instant?) {
        guard !width.isFixed else { return }
        let wanted = width.wanted(
            window,
            held: messages.count,
            isFull: isFull,
            openBatches: batcher.openCount,
            at: now,
        )
        guard wanted != window.messages else { return }
        window = window.resized(to: wanted, told: configuration.maximumHeldBytes)
    }

    /// The oldest open batch, if the window is full and three quarters of it have come since the batch was opened.
    ///
    /// It makes room, as lines come out in order: the first line that has no answer is under way, or in the oldest open batch.
    /// The others go on filling: with a thousand templates, batches would else leave as soon as they have begun.
    private mutating func oldestIfFull() -> BatchTable.Index? {
        guard isFull, let oldest = batcher.oldest(batches) else { return nil }
        let age = lastLine - messages[batches[oldest].item(0).slot].line + 1
        return age >= UInt64(messages.count / 4 * 3) ? oldest : nil
    }

    private mutating func batchClosed(_ index: BatchTable.Index) {
        if let stop, !stop.sendsWhatIsBatched {
            settle(index, stop.response)
        } else if configuration.isDryRun {
            tally.requests += 1
            notePlan(index)
            settle(index, Response(.planned, code: "smspipe.PLANNED", message: "Not sent: this is a dry run."))
        } else {
            dispatcher.enqueue(index, expiresAt: expiry(of: index), batches)
        }
    }

    // MARK: - Settling

    /// Answers one message by itself.
    mutating func settle(_ slot: MessageTable.Slot, _ response: Response) {
        messages.setAnswer(slot, answers.add(response, uses: 1))
        tally.count(response, messages: 1)
        responses.settled(slot)
    }

    /// Answers all messages of a batch, with a journal once that is on record.
    mutating func settle(_ index: BatchTable.Index, _ response: Response) {
        var response = response
        if response.batchID == nil { response.batchID = batchID(index) }
        if journal.isKept, recordsResult(index, response) { return }
        conclude(index, response)
    }

    /// Answers all messages of a batch and frees its record.
    mutating func conclude(_ index: BatchTable.Index, _ response: Response) {
        let response = claim(response, of: index)
        let count = batches[index].count
        let answer = answers.add(response, uses: count)
        tally.count(response, messages: count)
        for place in 0..<count {
            let slot = batches[index].item(place).slot
            messages.setAnswer(slot, answer)
            responses.settled(slot)
        }
        if journal.isKept { concluded(index, response) }
        batches.release(index)
    }

    /// Our id of a batch; the same for every attempt that was known not to be taken.
    func batchID(_ index: BatchTable.Index) -> String {
        String(decoding: batchIDText(index), as: UTF8.self)
    }

    /// The text of our id of a batch.
    func batchIDText(_ index: BatchTable.Index) -> [UInt8] {
        if batches[index].isRecovered, let recorded = batches[index].recorded {
            return Array(journal.batches.batchID(recorded).utf8)
        }
        return batches[index].id
    }

    /// Answers a batch whose deadline has passed while it waited.
    mutating func expire(_ index: BatchTable.Index) {
        settle(index, dispatcher.reachability.failure.map { StopReason.unreachable($0).response } ?? Self.expired)
    }

    private static let expired = Response(
        .skipped,
        code: "smspipe.EXPIRED",
        message: "Never sent: its deadline passed while it waited.",
    )

    // MARK: - Output

    /// Appends response lines that are due.
    ///
    /// - Parameters:
    ///   - buffer: Receives whole lines.
    ///   - limit: No further line is begun once the buffer holds this many bytes.
    /// - Returns: Whether a line was appended.
    @discardableResult
    package mutating func takeOutput(into buffer: inout [UInt8], upTo limit: Int) -> Bool {
        let isAppended = responses.take(from: &messages, &answers, into: &buffer, upTo: limit)
        if messages.count == 0 { width.emptied() }
        return isAppended
    }
}
