// SPDX-License-Identifier: Apache-2.0

/// One message, as ranges into the bytes of its ``Chunk``: no text of its own.
package struct Message: Equatable, Sendable {
    /// The line's number in the input, from 1.
    package var line: UInt64
    /// What the response line repeats: the input object without its closing brace, or the text of a line that is no object.
    package var echo: ByteRange = .none
    /// The value of `Id` as it was written; empty where there is none.
    package var id: ByteRange = .none
    /// The number's text: digits, and a `+` before them where there was one.
    package var phoneNumber: ByteRange = .none
    /// The sign name as a JSON string, quotes included.
    package var signName: ByteRange = .none
    /// The template code's text.
    package var templateCode: ByteRange = .none
    /// The template's parameters as a JSON object of strings; empty where there are none.
    package var templateParameters: ByteRange = .none
    /// The extension code as a JSON string, quotes included; empty where there is none.
    package var extensionCode: ByteRange = .none
    /// The message's own OutId as text; empty where it brought none.
    package var outID: ByteRange = .none
    /// Stands for the number when two are compared: equal for all spellings of a mainland number.
    package var phoneKey: UInt64 = 0
    /// The hash of what messages of one request have in common.
    package var batchKeyHash: UInt64 = 0
    /// Where the message's fault stands in its chunk's `faults`; `nil` for a message that can be sent.
    package var fault: UInt32?
    /// What is common to all messages of a request, apart from template code and OutId.
    package var traits: Traits = []

    /// Creates the message of a line, without members yet.
    package init(line: UInt64) {
        self.line = line
    }

    /// Properties of a message that decide how it is batched and answered.
    package struct Traits: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// The message has template parameters.
        package static let hasParameters = Traits(rawValue: 1 << 0)
        /// The message has an extension code.
        package static let hasExtensionCode = Traits(rawValue: 1 << 1)
        /// The number lies outside mainland China.
        package static let isInternational = Traits(rawValue: 1 << 2)
        /// The template is one of those that are sent at once, each alone.
        package static let isUrgent = Traits(rawValue: 1 << 3)
        /// The line is a JSON object, so that the response line can repeat it.
        package static let isObject = Traits(rawValue: 1 << 4)
        /// The object has members left to repeat.
        package static let hasMembers = Traits(rawValue: 1 << 5)

        /// The traits that all messages of one request share.
        package static let shared: Traits = [.hasParameters, .hasExtensionCode, .isInternational]
    }
}

/// Messages that were parsed together, and all the bytes they refer to.
package struct Chunk: Sendable {
    /// The lines as they were read.
    package var bytes: [UInt8]
    /// Texts that do not stand in the input as they are needed: decoded escapes, rewritten numbers, defaults.
    package var rewritten: [UInt8] = []
    /// The messages in the order of their lines.
    package var messages: [Message] = []
    /// Why messages that have a fault cannot be sent.
    package var faults: [MessageFault] = []
    /// The messages' identities; empty without a journal.
    package var identities: [MessageIdentity] = []
    /// What is known of the messages' Ids; empty if none of them has one, and without a journal.
    package var ids: [MessageID] = []
    /// Whether the journal has none of the messages, and none of them has an `Id`.
    var areNew = false

    /// How large the storage of a chunk's bytes is that is kept for another: smaller ones are had for less than a page
    /// fault, and larger ones no read fills by half.
    package static let reusableByteCounts = (64 << 10)...(256 << 10)

    /// Creates a chunk without messages.
    package init(bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// Begins to fetch the storage of a message that comes some messages later.
    ///
    /// The thread that takes messages had it last, so it lies in another processor's cache. Stores leave one after the other, and
    /// the next line's scan had to wait until that one could: 70 ns a message, 12 % of all CPU, where the processors are far apart.
    @inline(__always)
    func prefetchMessage() {
        messages.span.prefetch(from: messages.count &+ 4, byteCount: MemoryLayout<Message>.stride)
    }

    /// Empties the chunk and keeps its storage for another.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        rewritten.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
        faults.removeAll()
        identities.removeAll(keepingCapacity: true)
        ids.removeAll()
    }

    /// How many bytes its lines may have without more storage.
    package var byteCapacity: Int { bytes.capacity }

    /// How many bytes the chunk holds.
    package var byteCount: Int { bytes.count + rewritten.count }

    /// The bytes of a range of one of the chunk's messages.
    package func withBytes<Result>(of range: ByteRange, _ body: (borrowing Span<UInt8>) -> Result) -> Result {
        body((range.isRewritten ? rewritten.span : bytes.span).extracting(range.indices))
    }

    /// Appends the bytes of a range of one of the chunk's messages.
    package func append(_ range: ByteRange, to buffer: inout [UInt8]) {
        buffer.append(copying: range.isRewritten ? rewritten.span : bytes.span, range.indices)
    }

    /// Whether only the beginning of a message's line was kept.
    func isTooLong(_ message: borrowing Message) -> Bool {
        guard let fault = message.fault, case .lineTooLong = faults[Int(fault)] else { return false }
        return true
    }
}
