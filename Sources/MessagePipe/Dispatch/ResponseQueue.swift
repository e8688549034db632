// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// Releases response lines in the order of the input, or as they come.
struct ResponseQueue: ~Copyable {
    private let keepsInputOrder: Bool
    private let line: ResponseLine
    /// In input order: the chunks whose lines are not all out.
    private var chunks: Deque<UInt32> = []
    /// How many messages of the first chunk are out.
    private var writtenOfFirst = 0
    /// Out of order: the messages that are answered.
    private var settled: Deque<MessageTable.Slot> = []
    /// Whether lines are dropped, because nobody reads them.
    var discards = false

    init(keepsInputOrder: Bool, line: ResponseLine) {
        self.keepsInputOrder = keepsInputOrder
        self.line = line
    }

    /// Notes a chunk of messages that has been read.
    mutating func arrived(chunk: UInt32) {
        if keepsInputOrder { chunks.append(chunk) }
    }

    /// Notes a message that has its answer.
    mutating func settled(_ slot: MessageTable.Slot) {
        if !keepsInputOrder { settled.append(slot) }
    }

    /// Writes the lines that are due, and lets go of their messages.
    ///
    /// - Parameters:
    ///   - messages: Holds the messages.
    ///   - answers: Holds their answers.
    ///   - buffer: Receives the lines.
    ///   - limit: No further line is begun once the buffer holds this many bytes.
    /// - Returns: Whether a line was due.
    mutating func take(
        from messages: inout MessageTable,
        _ answers: inout AnswerTable,
        into buffer: inout [UInt8],
        upTo limit: Int,
    ) -> Bool {
        var hasTaken = false
        while buffer.count < limit, let slot = settled.popFirst() {
            write(slot, messages, &answers, into: &buffer)
            messages.remove(1, ofChunk: slot.chunk)
            hasTaken = true
        }
        while let chunk = chunks.first {
            let messageCount = messages.messageCount(ofChunk: chunk)
            let start = writtenOfFirst
            while writtenOfFirst < messageCount, buffer.count < limit {
                let slot = MessageTable.Slot(chunk: chunk, place: UInt32(truncatingIfNeeded: writtenOfFirst))
                guard write(slot, messages, &answers, into: &buffer) else { break }
                writtenOfFirst += 1
            }
            guard writtenOfFirst > start else { break }
            hasTaken = true
            messages.remove(writtenOfFirst - start, ofChunk: chunk)
            guard writtenOfFirst == messageCount else { break }
            chunks.removeFirst()
            writtenOfFirst = 0
        }
        return hasTaken
    }

    /// Writes the line of a message, unless nobody reads it.
    ///
    /// - Returns: Whether the message had its answer, which is released.
    @discardableResult
    private func write(
        _ slot: MessageTable.Slot,
        _ messages: borrowing MessageTable,
        _ answers: inout AnswerTable,
        into buffer: inout [UInt8],
    ) -> Bool {
        guard let answer = messages.answer(slot) else { return false }
        if !discards {
            let hasMembers = line.appendBeginning(of: slot, in: messages, to: &buffer)
            answers.appendLineEnd(answer, after: hasMembers, to: &buffer)
        }
        answers.release(answer)
        return true
    }
}
