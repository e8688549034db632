// SPDX-License-Identifier: Apache-2.0

/// How a run ends before its input does: by a signal, by the account or the gateway, or because nothing can be written.
extension Engine {
    /// Tells that a signal asks for the end: no more is read, what is batched is sent, answers are awaited for the drain time.
    ///
    /// When sending has stopped already, the reason for that stands, and only the wait for answers is cut short.
    package mutating func signalArrived(_ signal: Int32, at now: Instant) {
        guard drainDeadline == nil, !isGivenUp else { return }
        drainDeadline = now.advanced(by: configuration.drain)
        endingSignal = signal
        guard stop == nil else { return }
        stop = .signal(signal)
        flush()
    }

    /// Tells that nobody reads the output any more.
    package mutating func outputClosed(at now: Instant) {
        responses.discards = true
        stopSending(.outputClosed, at: now)
    }

    /// Tells that writing failed for good: nothing more is sent, and no line can be written.
    package mutating func outputFailed(_ what: String, at now: Instant) {
        responses.discards = true
        stopSending(.outputFailed(what), at: now)
    }

    /// Whether there is nothing left to do but to write what ``takeOutput(into:upTo:)`` has given.
    package var isFinished: Bool {
        if responses.discards { return dispatcher.inFlightCount == 0 && !dispatcher.hasDoubts && journal.isIdle }
        return isInputEnded && messages.count == 0 && journal.isIdle
    }

    /// Whether requests may still be started.
    var mayStart: Bool { stop == nil || stop?.sendsWhatIsBatched == true && !isGivenUp && !isTooLateToStart }

    /// Ends sending when the rest of the drain time is shorter than an answer and a half takes: what left then would be unknown.
    mutating func endSendingIfTooLate(at now: Instant) {
        guard let drainDeadline, let stop, stop.sendsWhatIsBatched, !isTooLateToStart,
            now.advanced(by: answerTime * 3 / 2) > drainDeadline
        else { return }
        isTooLateToStart = true
        settleWaiting(stop.response)
    }

    /// Answers all messages that have not left.
    private mutating func settleWaiting(_ response: Response) {
        for index in dispatcher.takeWaiting() { settle(index, response) }
        settleIntended(response)
    }

    /// Ends sending; every message that has not left is answered with the reason.
    mutating func stopSending(_ reason: StopReason, at now: Instant) {
        if stop == nil || stop?.sendsWhatIsBatched == true { stop = reason }
        if !stopsSoFar.contains(where: { $0.isSameKind(as: reason) }) { stopsSoFar.append(reason) }
        closeAll()
        settleWaiting(reason.response)
        if responses.discards {
            for index in dispatcher.takeDoubtful() { settleDoubt(index) }
        }
    }

    /// How long the reader may take to tell what it has read; it may be stuck in a read that does not return.
    private static let readerPatience: Duration = .seconds(1)

    /// Ends waiting: what has not left is skipped, what is in doubt is unknown.
    mutating func giveUp(at now: Instant) {
        guard !isGivenUp, let stop else { return }
        isGivenUp = true
        drainDeadline = nil
        if !isInputEnded { inputDeadline = now.advanced(by: Self.readerPatience) }
        closeAll()
        settleWaiting(stop.response)
        for index in dispatcher.takeDoubtful() { settleDoubt(index) }
        dispatcher.abandonAll()
    }
}
