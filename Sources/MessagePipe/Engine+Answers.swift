// SPDX-License-Identifier: Apache-2.0

/// What the answer to a request, or its absence, makes of its messages: there is exactly one report for each request.
extension Engine {
    // MARK: - Reports

    /// Tells that a connection to the gateway was made, certificate checked.
    package mutating func connected() {
        dispatcher.reachability.reached()
    }

    /// Reports that a request was answered.
    package mutating func answered(_ id: RequestID, _ answer: Answer, at now: Instant) {
        let index = take(id, expecting: .inFlight)
        let wait = batches[index].sentAt.duration(to: now)
        tally.latencies.record(wait)
        answerTime = max(wait, answerTime * 7 / 8)
        // Whoever has a receipt id was taken: nothing may lead to a second send of it.
        let codeClass = answer.bizID == nil ? answer.codeClass : .success
        if codeClass != .unknownRefusal { lastUnknownRefusal = nil }
        if codeClass != .success, codeClass != .ambiguous { ownOutIDs.notTaken(batches[index]) }
        var answer = answer
        answer.message = batches[index].texts.masked(answer.message)
        switch codeClass {
        case .success:
            dispatcher.answered(sentAt: batches[index].sentAt, at: now)
            settle(index, by: response(.accepted, answer, index), at: now)
        case .message:
            dispatcher.answered(sentAt: batches[index].sentAt, at: now)
            rejectOrSplit(index, answer, at: now)
        case .batchOrMessage:
            dispatcher.answered(sentAt: batches[index].sentAt, at: now)
            if isMixed(index) {
                rejectOrSplit(index, answer, at: now)
            } else {
                settle(index, by: response(.rejected, answer, index), at: now)
            }
        case .batch:
            dispatcher.answered(sentAt: batches[index].sentAt, at: now)
            settle(index, by: response(.rejected, answer, index), at: now)
        case .credentials:
            stopForAccount(.credentials(answer), index, at: now)
        case .account:
            stopForAccount(.account(answer), index, at: now)
        case .throttle:
            throttled(index, answer, at: now)
        case .stale:
            signAnew(index, answer, at: now)
        case .unknownRefusal:
            unknownRefusal(index, answer, at: now)
        case .ambiguous:
            batches[index].doubtfulRequestID = answer.requestID
            doubt(index, .ambiguous(code: answer.code), at: now)
        }
    }

    /// Reports that a request did not leave: no byte of it can have reached the gateway as a whole request.
    package mutating func notSent(_ id: RequestID, _ reason: NotSentReason, at now: Instant) {
        if batches[id.batch].phase == .inLookUp {
            // Before the first connection there are only those of an earlier run.
            dispatcher.reachability.failed(reason, startedAt: batches[id.batch].doubtSince)
            lookUpFailed(id, at: now)
            return
        }
        let index = take(id, expecting: .inFlight)
        tally.requests -= 1
        ownOutIDs.notTaken(batches[index])
        batches[index].sendDate = 0
        // What was given up in the middle of a first connection says nothing about the gateway.
        if !isGivenUp { dispatcher.reachability.failed(reason, startedAt: batches[index].sentAt) }
        if let stop, !mayStart {
            settle(index, stop.response)
        } else if case .certificate = reason, !dispatcher.reachability.isReached {
            settle(index, StopReason.unreachable(reason).response)
            stopSending(.unreachable(reason), at: now)
        } else {
            dispatcher.returned(batches[index].count, sentAt: batches[index].sentAt, at: now)
            tryAgain(index, after: retryWait(index, nil), at: now)
        }
    }

    /// Reports that nobody can tell whether a request was taken.
    package mutating func unknown(_ id: RequestID, _ doubt: Doubt, at now: Instant) {
        if batches[id.batch].phase == .inLookUp {
            lookUpFailed(id, at: now)
            return
        }
        let index = take(id, expecting: .inFlight)
        self.doubt(index, doubt, at: now)
    }

    /// Reports that a look-up was refused for its time stamp or token, which are right from now on: it goes once more, signed anew.
    package mutating func lookUpRefusedAsStale(_ id: RequestID, at now: Instant) {
        lookUpAnew(id, at: now)
    }

    /// Reports what a look-up has found.
    ///
    /// `isFound` says whether the gateway has a message of the batch on record; not found never means not sent. A look-up that
    /// was refused, or not answered, is reported as ``unknown(_:_:at:)``.
    package mutating func lookedUp(_ id: RequestID, isFound: Bool, at now: Instant) {
        guard isFound, !isAmbiguous(id.batch) else {
            lookUpFailed(id, at: now)
            return
        }
        settleDoubt(take(id, expecting: .inLookUp), isFound: true)
    }

    /// Notes that the one report about a request has come.
    ///
    /// - Returns: The batch.
    mutating func take(_ id: RequestID, expecting phase: Batch.Phase) -> BatchTable.Index {
        precondition(
            batches[id.batch].request == id.number && batches[id.batch].phase == phase,
            "request \(id.number) is reported in phase \(batches[id.batch].phase), not \(phase)",
        )
        dispatcher.ended(isLookUp: phase == .inLookUp)
        tally.inFlight = dispatcher.inFlightCount
        return id.batch
    }

    /// Settles a request by its answer.
    private mutating func settle(_ index: BatchTable.Index, by response: Response, at now: Instant) {
        width.answered(batches[index].count, sentAt: batches[index].sentAt, at: now)
        settle(index, response)
    }

    private func response(_ outcome: Outcome, _ answer: Answer, _ index: BatchTable.Index) -> Response {
        Response(
            outcome,
            code: answer.code,
            message: answer.message,
            bizID: answer.bizID,
            requestID: answer.requestID,
            batchID: batchID(index),
            sendDate: outcome == .accepted ? batches[index].sendDate : 0,
        )
    }

    // MARK: - Refusals

    /// Splits a batch that was refused for a message nobody names; a message that is alone is the one.
    private mutating func rejectOrSplit(_ index: BatchTable.Index, _ answer: Answer, at now: Instant) {
        let count = batches[index].count
        guard configuration.splits, count > 1 else {
            settle(index, by: response(.rejected, answer, index), at: now)
            return
        }
        if let stop, !mayStart {
            // Most of them would have been taken without the one to blame; nobody refused them.
            settle(index, stop.response)
            return
        }
        withdraw(index)
        dispatcher.returned(count, sentAt: batches[index].sentAt, at: now)
        let halves = [0..<(count / 2), (count / 2)..<count].map { half in
            let made = batches.make(oldest: batches[index].oldest)
            batches[made].key = batches[index].key
            batches[made].phase = .ready
            // Nothing may be said of them before it is on record that they were not taken.
            batches[made].isRecorded = batches[index].isRecorded
            batches[made].withdrawnIn = batches[index].withdrawnIn
            for place in half { batches[made].append(batches[index].item(place).slot, of: messages) }
            return made
        }
        batches.release(index)
        for half in halves.reversed() { dispatcher.enqueueFirst(half, expiresAt: expiry(of: half)) }
    }

    /// Whether the messages of a batch differ in a value that the batch need not have in common.
    private func isMixed(_ index: BatchTable.Index) -> Bool {
        var first: (signName: [UInt8], extensionCode: [UInt8])?
        for place in 0..<batches[index].count {
            let slot = batches[index].item(place).slot
            let message = messages[slot]
            var names: (signName: [UInt8], extensionCode: [UInt8]) = ([], [])
            messages.withChunk(of: slot) {
                $0.append(message.signName, to: &names.signName)
                $0.append(message.extensionCode, to: &names.extensionCode)
            }
            guard let known = first else {
                first = names
                continue
            }
            if known != names { return true }
        }
        return false
    }

    private mutating func stopForAccount(_ reason: StopReason, _ index: BatchTable.Index, at now: Instant) {
        var response = reason.response
        // The others were in no request.
        switch reason {
        case .credentials(let answer), .account(let answer): response.requestID = answer.requestID
        default: break
        }
        settle(index, response)
        stopSending(reason, at: now)
    }

    /// A refusal with a code nobody knows: once it counts for the batch, for two batches in a row for the account.
    private mutating func unknownRefusal(_ index: BatchTable.Index, _ answer: Answer, at now: Instant) {
        let serial = batches[index].serial
        guard lastUnknownRefusal == nil || lastUnknownRefusal == serial else {
            stopForAccount(.account(answer), index, at: now)
            return
        }
        lastUnknownRefusal = serial
        dispatcher.answered(sentAt: batches[index].sentAt, at: now)
        settle(index, by: response(.rejected, answer, index), at: now)
    }

    // MARK: - Trying again

    private mutating func throttled(_ index: BatchTable.Index, _ answer: Answer, at now: Instant) {
        tally.throttled += 1
        let wait = retryWait(index, answer.retryAfter)
        dispatcher.throttled(sentAt: batches[index].sentAt, at: now, using: &generator)
        batches[index].sendDate = 0
        tryAgain(index, after: wait, at: now)
    }

    /// Lets a request go once more with a new time stamp or token; refused for it again, the clock or the account is wrong.
    private mutating func signAnew(_ index: BatchTable.Index, _ answer: Answer, at now: Instant) {
        guard !batches[index].isSignedAnew else {
            stopForAccount(.credentials(answer), index, at: now)
            return
        }
        batches[index].isSignedAnew = true
        batches[index].sendDate = 0
        dispatcher.returned(batches[index].count, sentAt: batches[index].sentAt, at: now)
        tryAgain(index, after: .zero, at: now)
    }

    private mutating func retryWait(_ index: BatchTable.Index, _ retryAfter: Duration?) -> Duration {
        configuration.retryPolicy.wait(after: batches[index].attempts, retryAfter: retryAfter, using: &generator)
    }

    private mutating func tryAgain(_ index: BatchTable.Index, after wait: Duration, at now: Instant) {
        if let stop, !mayStart {
            settle(index, stop.response)
            return
        }
        let expiry = expiry(of: index)
        guard expiry > now else {
            expire(index)
            return
        }
        withdraw(index)
        if wait == .zero {
            batches[index].phase = .ready
            dispatcher.enqueueFirst(index, expiresAt: expiry)
        } else {
            batches[index].phase = .backingOff
            dispatcher.backOff(index, until: now.advanced(by: wait), expiresAt: expiry, batches)
        }
    }

    func expiry(of index: BatchTable.Index) -> Instant {
        batches[index].oldest.advanced(by: configuration.deadline)
    }
}
