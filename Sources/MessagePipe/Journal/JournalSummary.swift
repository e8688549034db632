// SPDX-License-Identifier: Apache-2.0

/// What a journal says of all its messages together.
package struct JournalSummary: Sendable {
    /// A message of which nobody knows whether it was sent.
    package struct Uncertain: Equatable, Sendable {
        /// Its line's number in the input of the run that sent it.
        package var line: UInt64
        /// Our id of its request.
        package var batchID: String
        /// Whether it was answered `unknown`; else the next run looks it up.
        package var isAnswered: Bool
    }

    private struct Batch {
        var lines: [UInt64]
        var position: Int
        var isUnknown = false
    }

    /// The head; `nil` if not even that is whole.
    package private(set) var head: JournalHead?
    /// When the first record was written, in milliseconds since 1970.
    package private(set) var firstTime: Int64?
    /// When the last record was written.
    package private(set) var lastTime: Int64?
    /// How many requests have a result, or may have left.
    package private(set) var requests = 0
    private var outcomes: [Outcome: Int] = [:]
    private var identities = IdentityTable()
    /// Requests without a result, and those whose result is unknown.
    private var uncertain: [String: Batch] = [:]
    private var position = 0

    /// Creates the summary of nothing.
    package init() {}

    /// Takes in the next record.
    package mutating func apply(_ entry: JournalEntry) {
        firstTime = firstTime ?? entry.time
        lastTime = entry.time
        position += 1
        switch entry.record {
        case .head(let head):
            self.head = head
        case .intent(let batchID, _, let messages):
            for message in messages { identities.note(message.key, content: message.content, in: 0) }
            uncertain[batchID] = Batch(lines: messages.map(\.line), position: position)
            requests += 1
        case .result(let response, _):
            guard let batchID = response.batchID, let batch = uncertain[batchID] else { return }
            outcomes[response.outcome, default: 0] += batch.lines.count
            if response.outcome == .unknown {
                uncertain[batchID]?.isUnknown = true
            } else {
                uncertain[batchID] = nil
            }
        case .withdrawal(let batchID):
            if uncertain.removeValue(forKey: batchID) != nil { requests -= 1 }
        }
    }

    /// How many messages the journal knows.
    package var messages: Int { identities.count }

    /// How many messages were answered with an outcome.
    package subscript(outcome: Outcome) -> Int { outcomes[outcome, default: 0] }

    /// How many messages may have left and have no answer: the next run looks them up.
    package var open: Int {
        uncertain.values.reduce(0) { $0 + ($1.isUnknown ? 0 : $1.lines.count) }
    }

    /// How many messages were not taken: the next run sends them.
    package var unsent: Int { messages - outcomes.values.reduce(0, +) - open }

    /// The messages of which nobody knows whether they were sent, in the order of their requests.
    package var uncertainMessages: [Uncertain] {
        uncertain.sorted { $0.value.position < $1.value.position }.flatMap { batchID, batch in
            batch.lines.map { Uncertain(line: $0, batchID: batchID, isAnswered: batch.isUnknown) }
        }
    }
}

/// Makes of a journal a shorter one that says the same: without what was withdrawn, and without earlier attempts.
package struct JournalCompaction: Sendable {
    private var head: JournalEntry?
    private var batches: [(intent: JournalEntry, result: JournalEntry?)?] = []
    private var open: [String: Int] = [:]

    /// Creates the compaction of nothing.
    package init() {}

    /// Takes in the next record.
    package mutating func apply(_ entry: JournalEntry) {
        switch entry.record {
        case .head:
            head = entry
        case .intent(let batchID, _, _):
            open[batchID] = batches.count
            batches.append((entry, nil))
        case .result(let response, _):
            guard let batchID = response.batchID, let place = open.removeValue(forKey: batchID) else { return }
            batches[place]?.result = entry
        case .withdrawal(let batchID):
            guard let place = open.removeValue(forKey: batchID) else { return }
            batches[place] = nil
        }
    }

    /// The new content; empty if there was no head.
    package func content() -> [UInt8] {
        guard let head else { return [] }
        var text: [UInt8] = []
        func append(_ entry: JournalEntry) {
            // All of it is on stable storage before it becomes the journal.
            JournalEntry(entry.record, time: entry.time, synced: text.count).append(to: &text)
        }
        append(head)
        for case let batch? in batches {
            append(batch.intent)
            if let result = batch.result { append(result) }
        }
        return text
    }
}
