// SPDX-License-Identifier: Apache-2.0

/// What a journal says of every message, in memory: about 64 bytes a message.
package struct JournalIndex: Sendable {
    /// What is known of a message that arrives.
    enum Knowledge: Equatable {
        /// Nothing, or that it was not taken: it is to be sent.
        case new
        /// Its `Id` stands for other content.
        case reused
        /// It is in a request that may have left.
        case intended(RecordedBatches.Index)
        /// It has its result.
        case answered(RecordedBatches.Index)
    }

    private(set) var identities = IdentityTable()
    private(set) var batches = RecordedBatches()
    /// The requests in the journal that have neither result nor withdrawal.
    private var intended: [String: RecordedBatches.Index] = [:]
    /// The head, once it was read.
    package private(set) var head: JournalHead?

    /// Creates the index of an empty journal.
    package init() {}

    /// Makes room for as many messages as a journal of a length can have.
    package mutating func reserve(forJournalOf byteCount: Int) {
        // A message takes at least 36 bytes of its intent's record.
        identities.reserve(byteCount / 36)
    }

    /// How many messages are known.
    package var messageCount: Int { identities.count }

    /// Takes in the next record of a journal that is read.
    package mutating func apply(_ entry: JournalEntry) {
        switch entry.record {
        case .head(let head):
            self.head = head
        case .intent(let batchID, let sendDate, let messages):
            let batch = batches.add(batchID, sendDate: sendDate, time: entry.time)
            intended[batchID] = batch
            for message in messages {
                let found = identities.findOrInsert(message.key, content: message.content ?? 0)
                identities[found.index].batch = batch
            }
        case .result(let response, _):
            guard let batchID = response.batchID, let batch = intended.removeValue(forKey: batchID) else { return }
            batches.answer(batch, response)
        case .withdrawal(let batchID):
            guard let batch = intended.removeValue(forKey: batchID) else { return }
            batches.withdraw(batch)
        }
    }

    /// Ends the reading: what only reading needs is let go.
    package mutating func finishReading() {
        intended = [:]
    }

    // MARK: - A run

    /// Takes the identity of a message that has arrived.
    ///
    /// - Returns: Where the message stands, and what is known of it.
    mutating func arrived(_ identity: MessageIdentity) -> (IdentityTable.Index, Knowledge) {
        var (index, isNew) = identities.findOrInsert(identity.key, content: identity.content ?? 0)
        if let content = identity.content {
            guard identities[index].content == content else { return (index, .reused) }
        } else {
            identities[index].occurrences += 1
            let number = identities[index].occurrences
            if number > 1 {
                (index, isNew) = identities.findOrInsert(identity.key(ofOccurrence: number), content: 0)
            }
        }
        let batch = identities[index].batch
        guard !isNew, batch != IdentityTable.noBatch else { return (index, .new) }
        switch batches[batch].state {
        case .intended: return (index, .intended(batch))
        case .withdrawn: return (index, .new)
        case .answered: return (index, .answered(batch))
        }
    }

    /// Notes that a request is to leave with messages.
    ///
    /// - Parameters:
    ///   - known: The request, if it was intended before.
    ///   - batchID: Our id of it.
    ///   - sendDate: The day on which it leaves.
    ///   - time: Now, in milliseconds since 1970.
    ///   - messages: Its messages.
    /// - Returns: The request.
    mutating func intend(
        _ known: RecordedBatches.Index?,
        _ batchID: String,
        sendDate: UInt32,
        time: Int64,
        _ messages: [IdentityTable.Index],
    ) -> RecordedBatches.Index {
        if let known {
            batches.intend(known, sendDate: sendDate, time: time)
            return known
        }
        let batch = batches.add(batchID, sendDate: sendDate, time: time)
        for message in messages { identities[message].batch = batch }
        return batch
    }

    /// The message at a place as its intent has it.
    func message(_ place: IdentityTable.Index, line: UInt64) -> JournalRecord.Message {
        let entry = identities[place]
        return JournalRecord.Message(key: entry.key, content: entry.content == 0 ? nil : entry.content, line: line)
    }

    /// Whether a message with an `Id` is under way in this run.
    func isUnderWay(_ place: IdentityTable.Index) -> Bool { identities[place].isUnderWay }

    /// Notes whether a message is under way in this run.
    mutating func setUnderWay(_ place: IdentityTable.Index, _ isUnderWay: Bool) {
        // Without an `Id`, the next of the same content is another message.
        if identities[place].content != 0 { identities[place].isUnderWay = isUnderWay }
    }

    /// Notes that a request was not taken.
    mutating func withdraw(_ batch: RecordedBatches.Index) {
        batches.withdraw(batch)
    }

    /// Notes what became of a request: its result, or that it was not taken if it is skipped.
    mutating func conclude(_ batch: RecordedBatches.Index, _ response: Response) {
        if response.outcome == .skipped {
            batches.withdraw(batch)
        } else {
            batches.answer(batch, response)
        }
    }
}
