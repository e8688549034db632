// SPDX-License-Identifier: Apache-2.0

/// What a journal says of every message, in memory: about 64 bytes a message.
package struct JournalIndex: Sendable {
    private(set) var identities = IdentityTable()
    private(set) var batches = RecordedBatches()
    /// The requests in the journal that have neither result nor withdrawal.
    private var intended: [String: RecordedBatches.Index] = [:]
    /// The head, once it was read.
    package private(set) var head: JournalHead?

    /// Creates the index of an empty journal.
    package init() {}

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
                identities.note(message.key, content: message.content, in: batch)
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
}
