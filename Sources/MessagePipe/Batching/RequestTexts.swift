// SPDX-License-Identifier: Apache-2.0

import BasicContainers

/// The texts of the messages of a request, copied together as the messages come in.
///
/// The messages' own bytes lie anywhere in memory by the time the request leaves: fetched then, one cache line after the other,
/// they cost a tenth of all CPU, and more with a thousand templates. When a message is batched its line is read in turn with
/// its neighbours.
package struct RequestTexts: ~Copyable, Sendable {
    /// Where one message's texts stand in ``RequestTexts/bytes``, one behind the other.
    package struct Element: Sendable {
        private let start: UInt32
        private let phoneNumberEnd: UInt32
        private let signNameEnd: UInt32
        private let templateParametersEnd: UInt32
        private let end: UInt32

        fileprivate init(at start: Int, of message: borrowing Message) {
            self.start = UInt32(start)
            phoneNumberEnd = self.start + message.phoneNumber.count
            signNameEnd = phoneNumberEnd + message.signName.count
            templateParametersEnd = signNameEnd + message.templateParameters.count
            end = templateParametersEnd + message.extensionCode.count
        }

        /// The number's text.
        package var phoneNumber: Range<Int> { Int(start)..<Int(phoneNumberEnd) }
        /// The sign name as a JSON string.
        package var signName: Range<Int> { Int(phoneNumberEnd)..<Int(signNameEnd) }
        /// The template parameters as a JSON object; empty where there are none.
        package var templateParameters: Range<Int> { Int(signNameEnd)..<Int(templateParametersEnd) }
        /// The extension code as a JSON string; empty where there is none.
        package var extensionCode: Range<Int> { Int(templateParametersEnd)..<Int(end) }
    }

    private var storage = UniqueArray<UInt8>()
    private var places = UniqueArray<Element>()

    /// Creates texts of no message.
    init() {}

    /// The texts of all messages.
    package var bytes: Span<UInt8> { storage.span }

    /// The messages in the request's order.
    package var elements: Span<Element> { places.span }

    /// Copies the texts of one more message.
    mutating func append(_ slot: MessageTable.Slot, of messages: borrowing MessageTable) {
        places.append(Element(at: storage.count, of: messages[slot]))
        append(messages[slot].phoneNumber, slot, messages)
        append(messages[slot].signName, slot, messages, between: "\"", "\"")
        append(messages[slot].templateParameters, slot, messages, between: "{", "}")
        append(messages[slot].extensionCode, slot, messages, between: "\"", "\"")
    }

    /// Begins to fetch what the next message will be written to.
    @inline(__always)
    func prefetchEnds() {
        // Most messages take two to three cache lines; the rest of a longer one is fetched as it is written, in turn.
        storage.prefetchEnd(byteCount: 192)
        places.prefetchEnd(byteCount: MemoryLayout<Element>.size)
    }

    /// Removes all messages and keeps the storage for others.
    mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private mutating func append(_ range: ByteRange, _ slot: MessageTable.Slot, _ messages: borrowing MessageTable) {
        messages.withBytes(of: range, inChunk: slot.chunk) { storage.append(copying: $0) }
    }

    /// Copies a text that is JSON; what is none would be sent to somebody as something else.
    @inline(__always)
    private mutating func append(
        _ range: ByteRange,
        _ slot: MessageTable.Slot,
        _ messages: borrowing MessageTable,
        between first: UnicodeScalar,
        _ last: UnicodeScalar,
    ) {
        guard !range.isEmpty else { return }
        messages.withBytes(of: range, inChunk: slot.chunk) { text in
            precondition(
                text.count >= 2 && text[0] == UInt8(ascii: first) && text[text.count - 1] == UInt8(ascii: last),
                "a text that is no JSON string or object",
            )
            storage.append(copying: text)
        }
    }
}

extension Engine {
    /// Calls a function with the texts of a request's messages.
    package func withTexts(of id: RequestID, _ body: (borrowing RequestTexts) -> Void) { body(batches[id.batch].texts) }
}
