// SPDX-License-Identifier: Apache-2.0

/// What became of a message.
package enum Outcome: String, CaseIterable, Sendable {
    /// The gateway took it.
    case accepted
    /// The gateway refused it; it was not sent.
    case rejected
    /// Refused here, never sent.
    case invalid
    /// It may have been sent.
    case unknown
    /// Never sent, because the run stopped sending.
    case skipped
    /// A dry run.
    case planned
}

/// What response lines add to the messages that share an answer.
package struct Response: Equatable, Sendable {
    /// What became of the messages.
    package var outcome: Outcome
    /// The API's code, or one of ours.
    package var code: String
    /// The API's text, or ours.
    package var message: String
    /// The receipt id.
    package var bizID: String?
    /// The gateway's id of the request.
    package var requestID: String?
    /// Our id of the request.
    package var batchID: String?
    /// The day on which it was sent in China time, as `yyyyMMdd`; 0 where nothing was sent.
    package var sendDate: UInt32

    /// Creates a response; what is left out is `null` in the line.
    package init(
        _ outcome: Outcome,
        code: String,
        message: String,
        bizID: String? = nil,
        requestID: String? = nil,
        batchID: String? = nil,
        sendDate: UInt32 = 0,
    ) {
        self.outcome = outcome
        self.code = code
        self.message = message
        self.bizID = bizID
        self.requestID = requestID
        self.batchID = batchID
        self.sendDate = sendDate
    }

    /// The members as they end a response line, from the comma before `"Outcome"` to the closing brace and the line break.
    ///
    /// Written once for all messages that share the answer.
    func lineEnd() -> [UInt8] {
        var text: [UInt8] = []
        appendLineEnd(to: &text)
        return text
    }

    /// Appends what ``lineEnd()`` returns.
    func appendLineEnd(to text: inout [UInt8]) {
        text.reserveCapacity(256)
        text.append(UInt8(ascii: ","))
        appendMembers(to: &text)
        text.append(contentsOf: "}\n".utf8)
    }

    /// Appends the members, from `"Outcome"` to the last value.
    func appendMembers(to text: inout [UInt8]) {
        text.append(copying: "\"Outcome\":\"")
        text.append(contentsOf: outcome.rawValue.utf8)
        text.append(copying: "\",\"Code\":")
        JSONText.appendString(code, to: &text)
        text.append(copying: ",\"Message\":")
        JSONText.appendString(message, to: &text)
        text.append(copying: ",\"BizId\":")
        JSONText.appendString(bizID, to: &text)
        text.append(copying: ",\"RequestId\":")
        JSONText.appendString(requestID, to: &text)
        text.append(copying: ",\"BatchId\":")
        JSONText.appendString(batchID, to: &text)
        text.append(copying: ",\"SendDate\":")
        JSONText.appendString(sendDate == 0 ? nil : String(sendDate), to: &text)
    }
}

/// Writes response lines: the message as it came, and what became of it.
struct ResponseLine {
    /// Whether the message is repeated; else `Line` stands for it.
    let echoes: Bool

    /// Appends the beginning of the line of one message, up to what its answer adds.
    ///
    /// - Parameters:
    ///   - slot: The message.
    ///   - messages: Holds it.
    ///   - buffer: Receives the beginning.
    /// - Returns: Whether the line has members already, so that a comma comes next.
    @inline(__always)
    func appendBeginning(
        of slot: MessageTable.Slot,
        in messages: borrowing MessageTable,
        to buffer: inout [UInt8],
    ) -> Bool {
        let traits = messages[slot].traits
        guard echoes, traits.contains(.isObject) else {
            let message = messages[slot]
            messages.withChunk(of: slot) { appendNumber(message, from: $0, to: &buffer) }
            return true
        }
        messages.withBytes(of: messages[slot].echo, inChunk: slot.chunk) { buffer.append(copying: $0) }
        return traits.contains(.hasMembers)
    }

    /// Appends the beginning of a line that does not repeat the message's members.
    func appendNumber(_ message: Message, from chunk: borrowing Chunk, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: "{\"Line\":".utf8)
        buffer.append(contentsOf: String(message.line).utf8)
        if !message.id.isEmpty {
            buffer.append(contentsOf: ",\"Id\":".utf8)
            chunk.append(message.id, to: &buffer)
        }
        if echoes { appendInput(message, from: chunk, to: &buffer) }
    }

    /// Appends the beginning of a line that is no object, as `Input`; bytes that are no UTF-8 are replaced.
    private func appendInput(_ message: Message, from chunk: borrowing Chunk, to buffer: inout [UInt8]) {
        var input: [UInt8] = []
        chunk.append(message.echo, to: &input)
        if input.count > LineSplitter.keptOfLongLine || chunk.isTooLong(message) {
            input.removeLast(max(0, input.count - LineSplitter.keptOfLongLine))
            Self.removeCutScalar(from: &input)
        }
        buffer.append(contentsOf: ",\"Input\":".utf8)
        JSONText.appendString(String(decoding: input, as: UTF8.self), to: &buffer)
    }

    /// Removes a scalar at the end of which only the beginning was kept.
    private static func removeCutScalar(from text: inout [UInt8]) {
        var start = text.count
        while start > 0, text.count - start < 3, text[start - 1] & 0xC0 == 0x80 { start -= 1 }
        guard start > 0, text[start - 1] >= 0xC0 else { return }
        let leading = text[start - 1]
        let count = leading >= 0xF0 ? 4 : leading >= 0xE0 ? 3 : 2
        if text.count - (start - 1) < count { text.removeLast(text.count - (start - 1)) }
    }
}
