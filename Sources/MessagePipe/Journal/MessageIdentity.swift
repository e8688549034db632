// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What makes a message the same one in every run over a journal: its `Id`, or else its content and its occurrence.
package struct MessageIdentity: Equatable, Sendable {
    /// Stands for the `Id`, or else for the content and its occurrence.
    package var key: Digest128
    /// Stands for the content of a message that has an `Id`; 0 for one that has none.
    package var content: UInt64 = 0
    /// Where the `Id` stands among all identities of the journal.
    var place: IdentityTable.Index = 0
    /// The request that the message was last in when the journal was opened; ``RecordedBatches/none`` if it was in none.
    var batch = RecordedBatches.none
    /// Whether the `Id` stands for other content already.
    var isReused = false

    /// Whether the message goes by its `Id`.
    var hasID: Bool { content != 0 }

    /// The key of the n-th message with this content, from 1.
    func key(ofOccurrence number: UInt32) -> Digest128 {
        Digest128(low: key.low &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15, high: key.high)
    }
}

/// Finds the identities of messages: keyed digests, from which no number can be told without the key.
///
/// Whoever parses uses it, so that the engine need not search among a million identities. Copies share what they know.
package struct MessageIdentifier: Sendable {
    private final class Known: Sendable {
        let table: Mutex<IdentityTable>

        init(_ table: IdentityTable) {
            self.table = Mutex(table)
        }
    }

    private let digest: KeyedDigest
    private let known: Known
    /// Reused for every text that is not as it is digested.
    private var text: [UInt8] = []
    private var variables: [JSONMember] = []

    /// Creates the identifier of a journal's messages.
    ///
    /// - Parameter index: What the journal says, its head at least.
    package init(_ index: JournalIndex) {
        guard let head = index.head else { preconditionFailure("a journal without a head has no digests") }
        digest = KeyedDigest(key: head.salt)
        known = Known(index.identities)
    }

    /// The identity of each message of a chunk, in the order of the input; those with a fault get one that means nothing.
    ///
    /// - Complexity: O(*n*) in the bytes of the messages.
    mutating func identities(of chunk: borrowing Chunk) -> [MessageIdentity] {
        var identities: [MessageIdentity] = []
        identities.reserveCapacity(chunk.messages.count)
        for message in chunk.messages {
            identities.append(
                message.fault == nil
                    ? identity(of: message, in: chunk) : MessageIdentity(key: Digest128(low: 0, high: 0))
            )
        }
        known.table.withLock { table in table.arrived(&identities) { chunk.messages[$0].fault != nil } }
        return identities
    }

    private mutating func identity(of message: Message, in chunk: borrowing Chunk) -> MessageIdentity {
        let content = content(of: message, in: chunk)
        guard !message.id.isEmpty else { return MessageIdentity(key: content) }
        var digestion = digest.begin()
        digestion.append(UInt8(ascii: "I"))
        // The string "5" and the number 5 are one Id: a host that changes the type must not send anew.
        chunk.withBytes(of: message.id) { Self.append($0, to: &digestion, &text) }
        return MessageIdentity(key: digestion.finish(), content: max(content.low, 1))
    }

    private mutating func content(of message: Message, in chunk: borrowing Chunk) -> Digest128 {
        // Ends a text: no byte of UTF-8.
        let separator: UInt8 = 0xFF
        var digestion = digest.begin()
        digestion.append(UInt8(ascii: "C"))
        chunk.withBytes(of: message.phoneNumber) { digestion.append($0) }
        digestion.append(separator)
        chunk.withBytes(of: message.templateCode) { digestion.append($0) }
        digestion.append(separator)
        chunk.withBytes(of: message.outID) { digestion.append($0) }
        digestion.append(separator)
        chunk.withBytes(of: message.signName) { Self.append($0, to: &digestion, &text) }
        digestion.append(separator)
        chunk.withBytes(of: message.extensionCode) { Self.append($0, to: &digestion, &text) }
        digestion.append(separator)
        if message.traits.contains(.hasParameters) {
            chunk.withBytes(of: message.templateParameters) {
                Self.append(parameters: $0, to: &digestion, &text, &variables)
            }
        }
        return digestion.finish()
    }

    /// Appends the text of a JSON string without its escapes, or of a number as it stands.
    private static func append(
        _ value: borrowing Span<UInt8>,
        to digestion: inout KeyedDigest.Digestion,
        _ text: inout [UInt8],
    ) {
        guard value.count > 0 else { return }
        let isString = value[0] == UInt8(ascii: "\"")
        let inside = value.extracting(isString ? 1..<(value.count - 1) : 0..<value.count)
        guard inside.contains(UInt8(ascii: "\\"), orBelow: 0) else {
            digestion.append(inside)
            return
        }
        text.removeAll(keepingCapacity: true)
        JSONText.appendDecoded(inside, 0..<inside.count, to: &text)
        digestion.append(text.span)
    }

    /// Appends an object of strings, so that neither white space nor escapes tell two of them apart.
    private static func append(
        parameters: borrowing Span<UInt8>,
        to digestion: inout KeyedDigest.Digestion,
        _ text: inout [UInt8],
        _ variables: inout [JSONMember],
    ) {
        // Without blanks and escapes there is one way to write it.
        guard parameters.contains(UInt8(ascii: "\\"), orBelow: 0x21) else {
            digestion.append(parameters)
            return
        }
        // The parser has accepted the object, so scanning it again cannot fail.
        _ = try? JSONScanner.scanObject(parameters, in: 0..<parameters.count, into: &variables)
        text.removeAll(keepingCapacity: true)
        for variable in variables {
            text.append(text.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            appendString(parameters, variable.name, to: &text)
            text.append(UInt8(ascii: ":"))
            appendString(parameters, (variable.value.lowerBound + 1)..<(variable.value.upperBound - 1), to: &text)
        }
        text.append(contentsOf: text.isEmpty ? "{}".utf8 : "}".utf8)
        digestion.append(text.span)
    }

    private static func appendString(_ bytes: Span<UInt8>, _ range: Range<Int>, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        if bytes.extracting(range).contains(UInt8(ascii: "\\"), orBelow: 0) {
            var decoded: [UInt8] = []
            JSONText.appendDecoded(bytes, range, to: &decoded)
            JSONText.appendEscaped(decoded.span, to: &text)
        } else {
            for index in range { text.append(bytes[index]) }
        }
        text.append(UInt8(ascii: "\""))
    }
}

extension Span<UInt8> {
    /// Whether one of the bytes is a certain one, or below another, at most 0x80.
    fileprivate func contains(_ byte: UInt8, orBelow limit: UInt8) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highBits = ones &* 0x80
        var index = 0
        while count &- index >= 8 {
            let word = word(at: index)
            // The highest bit of a byte of the difference is set if the byte was below, or by a borrow from one that was.
            let different = word ^ ones &* UInt64(byte)
            let below = (word &- ones &* UInt64(limit)) & ~word | (different &- ones) & ~different
            if below & highBits != 0 { return true }
            index &+= 8
        }
        while index < count {
            if self[index] == byte || self[index] < limit { return true }
            index &+= 1
        }
        return false
    }
}
