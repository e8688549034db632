// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// What the journal changes: messages that were answered are answered again, requests leave once they are on record, and
/// results come out once they are.
extension Engine {
    // MARK: - Arrival

    /// Answers a message by what the journal says of it, now or when that is known.
    ///
    /// - Returns: Whether the message needs nothing else; it is new otherwise.
    mutating func isKnown(_ slot: MessageTable.Slot, at now: Instant) -> Bool {
        var batch = messages.recordedBatch(slot)
        let id = messages.id(slot)
        if let id {
            if id.isReused {
                settle(slot, Self.reusedID)
                return true
            }
            if journal.messagesWithID.isUnderWay(id.place) {
                journal.messagesWithID.repeat(id.place, slot)
                return true
            }
            let ownBatch = journal.messagesWithID.batch(id.place)
            if ownBatch != RecordedBatches.none { batch = ownBatch }
        }
        if batch != RecordedBatches.none {
            switch journal.batches[batch].state {
            case .intended where configuration.isDryRun:
                settle(slot, leftOpen(in: batch))
                return true
            case .intended:
                recover(slot, from: batch, at: now)
                return true
            case .answered:
                replay(slot, batch, at: now)
                return true
            case .withdrawn:
                break
            }
        }
        // Whoever is answered at once is not under way.
        if let id, stop == nil { journal.messagesWithID.begin(id.place) }
        return false
    }

    /// What a dry run says of a message that an earlier run has left open.
    private func leftOpen(in batch: RecordedBatches.Index) -> Response {
        Response(
            .unknown,
            code: "smspipe.UNCONFIRMED",
            message: "An earlier run has left it open: it would be looked up, and not sent.",
            batchID: journal.batches.batchID(batch),
            sendDate: journal.batches[batch].sendDate,
        )
    }

    private static let reusedID = Response(
        .invalid,
        code: "smspipe.ID_REUSED",
        message: "The Id stands for a message with other content already: give each message its own.",
    )

    private mutating func replay(_ slot: MessageTable.Slot, _ batch: RecordedBatches.Index, at now: Instant) {
        if journal.lastReplay?.batch != batch {
            let response = journal.batches.response(batch)
            journal.lastReplay = Journal.Replay(batch: batch, response: response, lineEnd: response.lineEnd())
        }
        guard let replay = journal.lastReplay else { return }
        if [.accepted, .unknown].contains(replay.response.outcome) {
            noteEarlier(slot, at: journal.instant(journal.batches[batch].time), now: now)
        }
        messages.setAnswer(slot, answers.add(lineEnd: replay.lineEnd, uses: 1))
        tally.count(replay.response, messages: 1)
        tally.replayed += 1
        responses.settled(slot)
    }

    /// Puts a message that an earlier run has left open into the batch that it left in.
    private mutating func recover(_ slot: MessageTable.Slot, from recorded: RecordedBatches.Index, at now: Instant) {
        if let index = journal.recovered[recorded] {
            batches[index].append(slot, of: messages)
            noteEarlier(slot, at: batches[index].sentAt, now: now)
            return
        }
        let index = batches.make(oldest: now)
        let message = messages[slot]
        messages.withChunk(of: slot) { batches[index].key.assign(message, from: $0) }
        batches[index].append(slot, of: messages)
        batches[index].recorded = recorded
        batches[index].isRecorded = true
        batches[index].isRecovered = true
        batches[index].hasIntent = true
        batches[index].sendDate = journal.batches[recorded].sendDate
        batches[index].sentAt = min(journal.instant(journal.batches[recorded].time), now)
        batches[index].doubt = .interrupted
        // What left long ago can be found at once, and what cannot be found now may still be a little later.
        let firstLookUp = Self.lookUpTimes[0]
        let age = min(batches[index].sentAt.duration(to: now), firstLookUp)
        batches[index].doubtSince = now.advanced(by: .zero - age)
        journal.recovered[recorded] = index
        noteEarlier(slot, at: batches[index].sentAt, now: now)
        lookUpLater(index, at: now)
    }

    /// Notes when an earlier run has sent a message, if it has an OutId of its own.
    private mutating func noteEarlier(_ slot: MessageTable.Slot, at instant: Instant, now: Instant) {
        guard !messages[slot].outID.isEmpty else { return }
        var key = BatchKey()
        messages.withChunk(of: slot) { key.assign(messages[slot], from: $0) }
        ownOutIDs.left(key, phoneKey: messages[slot].phoneKey, at: instant, now: now)
    }

    // MARK: - Requests

    /// The next request that may leave because its intent is on record; notes the intents of those behind it.
    ///
    /// Nothing is recorded before it has a permit: what is on record leaves as soon as its sync is reported, and a run that
    /// dies leaves nobody in doubt who could not have left by then.
    mutating func nextRecordedRequest(at now: Instant, sendDate: UInt32) -> Request? {
        while mayStart, let index = nextBatch(at: now) {
            recordIntent(index, at: now, sendDate: sendDate)
        }
        while dispatcher.mayLeave, let index = journal.intended.popFirst() {
            dispatcher.recordedCount -= 1
            guard expiry(of: index) > now else {
                expire(index)
                continue
            }
            return leave(index, at: now, sendDate: sendDate)
        }
        return nil
    }

    /// Notes in a dry run which request messages with an `Id` would be in, so that an `Id` that comes again has its answer.
    mutating func notePlan(_ index: BatchTable.Index) {
        guard journal.isKept, batches[index].records.contains(where: \.hasID) else { return }
        batches[index].recorded = journal.batches.add(batchID(index), sendDate: 0, time: 0)
    }

    private mutating func recordIntent(_ index: BatchTable.Index, at now: Instant, sendDate: UInt32) {
        let batchID = batchID(index)
        if let recorded = batches[index].recorded {
            journal.batches.intend(recorded, sendDate: sendDate, time: journal.time(now))
        } else if batches[index].records.contains(where: \.hasID) {
            batches[index].recorded = journal.batches.add(batchID, sendDate: sendDate, time: journal.time(now))
        }
        journal.record(.intent(batchID: batchID, sendDate: sendDate, messages: batches[index].records))
        _ = journal.wait(.intent(index))
        batches[index].isRecorded = true
        batches[index].hasIntent = true
        batches[index].phase = .recording
        dispatcher.recordedCount += 1
    }

    /// Notes that a request was not taken, if it is on record that it may have been.
    mutating func withdraw(_ index: BatchTable.Index) {
        guard batches[index].hasIntent else { return }
        // What cannot be recorded any more has not happened, as far as the next run can tell.
        guard !journal.isFailed else { return }
        batches[index].hasIntent = false
        batches[index].withdrawnIn = journal.nextGroup
        if let recorded = batches[index].recorded { journal.batches.withdraw(recorded) }
        journal.record(.withdrawal(batchID: batchID(index)))
    }

    // MARK: - Results

    /// Records what became of a batch whose intent is on record, and sees that its messages are answered then.
    ///
    /// What is unknown only because nobody reads the output any more, and so is not looked up, stays open: the next run looks it
    /// up. What was told as unknown stays so.
    ///
    /// - Returns: Whether that is so; else its messages may be answered at once.
    mutating func recordsResult(_ index: BatchTable.Index, _ response: Response) -> Bool {
        guard batches[index].isRecorded, !journal.isFailed else { return false }
        if response.outcome == .skipped {
            withdraw(index)
        } else if response.outcome != .unknown || !responses.discards {
            batches[index].hasIntent = false
            journal.record(.result(response, count: batches[index].count))
        }
        batches[index].phase = .concluding
        return journal.wait(.conclusion(index, response))
    }

    /// What may be claimed of a batch: after the journal has failed, nothing that it does not have on record.
    ///
    /// So what is skipped then is sent by the next run, and what is unknown is looked up by it.
    func claim(_ response: Response, of index: BatchTable.Index) -> Response {
        guard journal.isFailed, batches[index].isRecorded else { return response }
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
        let recorded = batches[index].recorded
        if let recorded {
            if response.outcome == .skipped {
                journal.batches.withdraw(recorded)
            } else {
                journal.batches.answer(recorded, response)
            }
            if batches[index].isRecovered { journal.recovered[recorded] = nil }
        }
        guard !journal.messagesWithID.isEmpty else { return }
        for place in 0..<batches[index].count {
            guard let id = messages.id(batches[index].item(place).slot) else { continue }
            for slot in journal.messagesWithID.end(id.place, in: recorded) { settle(slot, response) }
        }
    }

    // MARK: - The driver's part

    /// Hands out the records that are to be on stable storage next; `nil` if there are none, or some under way.
    ///
    /// ``journalSynced(at:)`` or ``journalFailed(_:at:)`` is to be called about them before there are more.
    package mutating func takeJournal(at now: Instant) -> JournalGroup? {
        journal.takeGroup(at: now)
    }

    /// Tells that the records which ``takeJournal(at:)`` gave last are on stable storage.
    package mutating func journalSynced(at now: Instant) {
        tally.syncs += 1
        for event in journal.groupSynced() {
            switch event {
            case .intent(let index): journal.intended.append(index)
            case .conclusion(let index, let response): conclude(index, response)
            }
        }
        if let stop, !mayStart { settleIntended(stop.response) }
    }

    /// Settles the requests whose intents are on record, as none of them leaves any more.
    mutating func settleIntended(_ response: Response) {
        while let index = journal.intended.popFirst() {
            dispatcher.recordedCount -= 1
            settle(index, response)
        }
    }

    /// Tells that the journal cannot be written any more: nothing is sent, and nothing is claimed that is not on record.
    package mutating func journalFailed(_ what: String, at now: Instant) {
        let events = journal.fail()
        switch stop {
        case .credentials, .outputClosed: break
        default: stop = .journalFailed(what)
        }
        stopSending(.journalFailed(what), at: now)
        for index in dispatcher.takeDoubtful() { settleDoubt(index) }
        for event in events {
            switch event {
            case .intent(let index):
                dispatcher.recordedCount -= 1
                batches[index].hasIntent = false
                settle(index, StopReason.journalFailed(what).response)
            case .conclusion(let index, let response):
                conclude(index, response)
            }
        }
    }
}
