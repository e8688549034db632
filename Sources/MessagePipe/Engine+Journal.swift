// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// What the journal changes: messages that were answered are answered again, requests leave once they are on record, and
/// results come out once they are.
extension Engine {
    // MARK: - Arrival

    /// Answers a message by what the journal says of it, now or when that is known.
    ///
    /// - Returns: Whether the message needs nothing else; it is new otherwise.
    mutating func isKnown(_ slot: MessageTable.Slot, _ identity: MessageIdentity, at now: Instant) -> Bool {
        let (place, knowledge) = journal.index.arrived(identity)
        messages.setIdentity(slot, place)
        if knowledge != .reused, journal.index.isUnderWay(place) {
            journal.repeated[place, default: []].append(slot)
            return true
        }
        switch knowledge {
        case .new:
            // Whoever is answered at once is not under way.
            if stop == nil { journal.index.setUnderWay(place, true) }
            return false
        case .reused:
            settle(
                slot,
                Response(
                    .invalid,
                    code: "smspipe.ID_REUSED",
                    message: "The Id stands for a message with other content already: give each message its own.",
                )
            )
        case .intended(let batch):
            recover(slot, from: batch, at: now)
        case .answered(let batch):
            replay(slot, batch)
        }
        return true
    }

    private mutating func replay(_ slot: MessageTable.Slot, _ batch: RecordedBatches.Index) {
        if journal.lastReplay?.batch != batch {
            let response = journal.index.batches.response(batch)
            journal.lastReplay = Journal.Replay(batch: batch, response: response, lineEnd: response.lineEnd())
        }
        guard let replay = journal.lastReplay else { return }
        messages.setAnswer(slot, answers.add(lineEnd: replay.lineEnd, uses: 1))
        tally.count(replay.response, messages: 1)
        tally.replayed += 1
        responses.settled(slot)
    }

    /// Puts a message that an earlier run has left open into the batch that it left in.
    private mutating func recover(_ slot: MessageTable.Slot, from recorded: RecordedBatches.Index, at now: Instant) {
        let phoneKey = messages[slot].phoneKey
        if let index = journal.recovered[recorded] {
            batches[index].append(slot, phoneKey: phoneKey)
            return
        }
        let index = batches.make(oldest: now)
        let message = messages[slot]
        messages.withChunk(of: slot) { batches[index].key.assign(message, from: $0) }
        batches[index].append(slot, phoneKey: phoneKey)
        batches[index].recorded = recorded
        batches[index].isRecovered = true
        batches[index].hasIntent = true
        batches[index].sendDate = journal.index.batches[recorded].sendDate
        batches[index].sentAt = min(journal.instant(journal.index.batches[recorded].time), now)
        batches[index].doubt = .interrupted
        // What left long ago can be found at once, and what cannot be found now may still be a little later.
        let firstLookUp = Self.lookUpTimes[0]
        let age = min(batches[index].sentAt.duration(to: now), firstLookUp)
        batches[index].doubtSince = now.advanced(by: .zero - age)
        journal.recovered[recorded] = index
        lookUpLater(index, at: now)
    }

    // MARK: - Requests

    /// The next request that may leave because its intent is on record; notes the intents of those behind it.
    mutating func nextRecordedRequest(at now: Instant, sendDate: UInt32) -> Request? {
        while mayStart, let index = nextBatch(at: now) {
            recordIntent(index, at: now, sendDate: sendDate)
        }
        while dispatcher.mayLeave || !mayStart, let index = journal.intended.popFirst() {
            dispatcher.recordedCount -= 1
            if let stop, !mayStart {
                settle(index, stop.response)
                continue
            }
            guard expiry(of: index) > now else {
                settle(index, expiry)
                continue
            }
            return leave(index, at: now, sendDate: sendDate)
        }
        return nil
    }

    private mutating func recordIntent(_ index: BatchTable.Index, at now: Instant, sendDate: UInt32) {
        let batchID = batchID(index)
        let slots = batches[index].items.map(\.slot)
        let places = slots.map { messages.identity($0) }
        batches[index].recorded = journal.index.intend(
            batches[index].recorded,
            batchID,
            sendDate: sendDate,
            time: journal.time(now),
            places,
        )
        let content = zip(slots, places).map { slot, place in
            journal.index.message(place, line: messages[slot].line)
        }
        journal.record(.intent(batchID: batchID, sendDate: sendDate, messages: content))
        _ = journal.wait(.intent(index))
        batches[index].hasIntent = true
        batches[index].phase = .recording
        dispatcher.recordedCount += 1
    }

    /// Notes that a request was not taken, if it is on record that it may have been.
    mutating func withdraw(_ index: BatchTable.Index) {
        guard batches[index].hasIntent, let recorded = batches[index].recorded else { return }
        // What cannot be recorded any more has not happened, as far as the next run can tell.
        guard !journal.isFailed else { return }
        batches[index].hasIntent = false
        batches[index].withdrawnIn = journal.nextGroup
        journal.index.withdraw(recorded)
        journal.record(.withdrawal(batchID: batchID(index)))
    }

    // MARK: - Results

    /// Records what became of a batch whose intent is on record, and sees that its messages are answered then.
    ///
    /// - Returns: Whether that is so; else its messages may be answered at once.
    mutating func recordsResult(_ index: BatchTable.Index, _ response: Response) -> Bool {
        guard batches[index].recorded != nil, !journal.isFailed else { return false }
        if response.outcome == .skipped {
            withdraw(index)
        } else {
            batches[index].hasIntent = false
            journal.record(.result(response, count: batches[index].items.count))
        }
        batches[index].phase = .concluding
        return journal.wait(.conclusion(index, response))
    }

    /// What may be claimed of a batch: after the journal has failed, nothing that it does not have on record.
    ///
    /// So what is skipped then is sent by the next run, and what is unknown is looked up by it.
    func claim(_ response: Response, of index: BatchTable.Index) -> Response {
        guard journal.isFailed, batches[index].recorded != nil else { return response }
        let isOpen = batches[index].hasIntent || batches[index].withdrawnIn > journal.syncedGroups
        guard response.outcome != .skipped || isOpen else { return response }
        return Response(
            .unknown,
            code: "smspipe.UNCONFIRMED",
            message: "It may have been sent: the journal failed before it had the result. Run again to look it up.",
            batchID: response.batchID,
            sendDate: batches[index].sendDate,
        )
    }

    /// Takes over what became of a batch, and answers messages that came again with an `Id` of it.
    mutating func concluded(_ index: BatchTable.Index, _ response: Response) {
        if let recorded = batches[index].recorded {
            journal.index.conclude(recorded, response)
            if batches[index].isRecovered { journal.recovered[recorded] = nil }
        }
        for item in batches[index].items {
            let place = messages.identity(item.slot)
            guard journal.index.isUnderWay(place) else { continue }
            journal.index.setUnderWay(place, false)
            guard !journal.repeated.isEmpty, let slots = journal.repeated.removeValue(forKey: place) else { continue }
            for slot in slots { settle(slot, response) }
        }
    }

    // MARK: - The driver's part

    /// Appends the records that are to be on stable storage next.
    ///
    /// ``journalSynced(at:)`` or ``journalFailed(_:at:)`` is to be called about them before there are more.
    ///
    /// - Parameters:
    ///   - buffer: Receives the records, to be appended to the journal as they are.
    ///   - now: The time.
    /// - Returns: Whether there are any.
    package mutating func takeJournal(into buffer: inout [UInt8], at now: Instant) -> Bool {
        guard let intents = journal.takeGroup(into: &buffer, at: now) else { return false }
        // As many as leave in the time of two syncs: whoever is recorded ahead is in doubt if the run dies, so no more.
        dispatcher.recordedAhead = max(2 * intents, dispatcher.recordedAhead * 3 / 4)
        return true
    }

    /// Tells that the records which ``takeJournal(into:at:)`` gave last are on stable storage.
    package mutating func journalSynced(at now: Instant) {
        tally.syncs += 1
        for event in journal.groupSynced() {
            switch event {
            case .intent(let index): journal.intended.append(index)
            case .conclusion(let index, let response): conclude(index, response)
            }
        }
    }

    /// Tells that the journal cannot be written any more: nothing is sent, and nothing is claimed that is not on record.
    package mutating func journalFailed(_ what: String, at now: Instant) {
        let events = journal.fail()
        switch stop {
        case .credentials, .outputClosed: break
        default: stop = .storage(what)
        }
        stopSending(.storage(what), at: now)
        for index in dispatcher.takeDoubtful() { settleDoubt(index) }
        for event in events {
            switch event {
            case .intent(let index):
                dispatcher.recordedCount -= 1
                batches[index].hasIntent = false
                settle(index, StopReason.storage(what).response)
            case .conclusion(let index, let response):
                conclude(index, response)
            }
        }
        while let index = journal.intended.popFirst() {
            dispatcher.recordedCount -= 1
            settle(index, StopReason.storage(what).response)
        }
    }
}
