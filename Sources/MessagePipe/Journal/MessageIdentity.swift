// SPDX-License-Identifier: Apache-2.0

/// What makes a message the same one in every run over a journal: its `Id`, or else its content and its occurrence.
package struct MessageIdentity: Equatable, Sendable {
    /// Stands for the `Id`, or else for the content.
    package var key: Digest128
    /// Stands for the content of a message that has an `Id`, and is not 0; `nil` for one that has none.
    package var content: UInt64?

    /// Creates an identity from its parts.
    package init(key: Digest128, content: UInt64? = nil) {
        self.key = key
        self.content = content
    }

    /// The key of the n-th message with this content, from 1.
    func key(ofOccurrence number: UInt32) -> Digest128 {
        guard number > 1 else { return key }
        return Digest128(low: key.low &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15, high: key.high)
    }
}

/// Finds the identities of messages: keyed digests, from which no number can be told without the key.
package struct MessageIdentifier: Sendable {
    /// Ends a text: no byte of UTF-8.
    private static let separator: UInt8 = 0xFF

    private let digest: KeyedDigest
    /// Reused for every message.
    private var text: [UInt8] = []
    private var variables: [JSONMember] = []

    /// - Parameter salt: The salt of the journal's head, ``KeyedDigest/keyByteCount`` bytes.
    package init(salt: [UInt8]) {
        digest = KeyedDigest(key: salt)
    }

    /// The identity of each message of a chunk; those with a fault get one that means nothing.
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
        return identities
    }

    private mutating func identity(of message: Message, in chunk: borrowing Chunk) -> MessageIdentity {
        let content = content(of: message, in: chunk)
        guard !message.id.isEmpty else { return MessageIdentity(key: content) }
        text.removeAll(keepingCapacity: true)
        text.append(UInt8(ascii: "I"))
        // The string "5" and the number 5 are one Id: a host that changes the type must not send anew.
        Self.appendText(of: message.id, in: chunk, to: &text)
        return MessageIdentity(key: digest.digest(of: text.span), content: max(content.low, 1))
    }

    private mutating func content(of message: Message, in chunk: borrowing Chunk) -> Digest128 {
        text.removeAll(keepingCapacity: true)
        text.append(UInt8(ascii: "C"))
        for range in [message.phoneNumber, message.templateCode, message.outID] {
            chunk.append(range, to: &text)
            text.append(Self.separator)
        }
        for range in [message.signName, message.extensionCode] {
            Self.appendText(of: range, in: chunk, to: &text)
            text.append(Self.separator)
        }
        if message.traits.contains(.hasParameters) {
            Self.appendVariables(of: message.templateParameters, in: chunk, to: &text, members: &variables)
        }
        return digest.digest(of: text.span)
    }

    /// Appends the text of a JSON string without its escapes, or of a number as it stands.
    private static func appendText(of range: ByteRange, in chunk: borrowing Chunk, to text: inout [UInt8]) {
        chunk.withBytes(of: range) { bytes in
            guard bytes.count > 0 else { return }
            let isString = bytes[0] == UInt8(ascii: "\"")
            JSONText.appendDecoded(bytes, isString ? 1..<(bytes.count - 1) : 0..<bytes.count, to: &text)
        }
    }

    /// Appends names and values, so that neither white space nor escapes tell two objects apart.
    private static func appendVariables(
        of range: ByteRange,
        in chunk: borrowing Chunk,
        to text: inout [UInt8],
        members: inout [JSONMember],
    ) {
        chunk.withBytes(of: range) { bytes in
            // The parser has accepted the object, so scanning it again cannot fail.
            _ = try? JSONScanner.scanObject(bytes, in: 0..<bytes.count, into: &members)
            for member in members {
                JSONText.appendDecoded(bytes, member.name, to: &text)
                text.append(separator)
                let value = (member.value.lowerBound + 1)..<(member.value.upperBound - 1)
                JSONText.appendDecoded(bytes, value, to: &text)
                text.append(separator)
            }
        }
    }
}
