// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// Releases response lines in the order of the input, or as they come.
struct ResponseQueue: ~Copyable {
    private let keepsInputOrder: Bool
    private let line: ResponseLine
    /// All messages in the order of the input, or those that are answered.
    private var slots: Deque<MessageTable.Slot> = []
    /// Whether lines are dropped, because nobody reads them.
    var discards = false

    init(keepsInputOrder: Bool, line: ResponseLine) {
        self.keepsInputOrder = keepsInputOrder
        self.line = line
    }

    /// Notes a message that has been read.
    mutating func arrived(_ slot: MessageTable.Slot) {
        if keepsInputOrder { slots.append(slot) }
    }

    /// Notes a message that has its answer.
    mutating func settled(_ slot: MessageTable.Slot) {
        if !keepsInputOrder { slots.append(slot) }
    }

    /// Writes the lines that are due, and frees their messages.
    mutating func take(
        from messages: inout MessageTable,
        _ answers: inout AnswerTable,
        into buffer: inout [UInt8],
        upTo limit: Int,
    ) -> Bool {
        var hasTaken = false
        while buffer.count < limit, let slot = slots.first, let answer = messages[slot].answer {
            slots.removeFirst()
            if !discards {
                let message = messages[slot].message
                messages.withChunk(of: slot) {
                    line.append(message, from: $0, lineEnd: answers[answer], to: &buffer)
                }
            }
            answers.release(answer)
            messages.remove(slot)
            hasTaken = true
        }
        return hasTaken
    }
}
