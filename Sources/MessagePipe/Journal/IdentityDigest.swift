// SPDX-License-Identifier: Apache-2.0

/// Digests what makes a message the same one in every run: its `Id`, or else its content.
///
/// Each part is ended and filled up to a whole word, so that no bytes have to be moved to follow those before them.
struct IdentityDigest: Sendable {
    /// What stands at the end: what it is, and which of the parts that may be absent it has.
    private enum Ending {
        static let id = UInt64(UInt8(ascii: "I"))
        static let content = UInt64(UInt8(ascii: "C"))
        static let outID: UInt64 = 1 << 8
        static let extensionCode: UInt64 = 1 << 9
        static let parameters: UInt64 = 1 << 10
    }

    /// The words so far.
    private struct Text {
        var state: KeyedDigest.State
        var wordCount = 0

        @inline(__always)
        mutating func append(_ word: UInt64) {
            state.compress(word)
            wordCount &+= 1
        }

        /// Ends the text with a word that has its length in the top byte.
        @inline(__always)
        mutating func end(_ ending: UInt64) -> Digest96 {
            append(ending | UInt64(truncatingIfNeeded: wordCount &* 8 &+ 2) &<< 56)
            return state.finish()
        }
    }

    private let digest: KeyedDigest
    /// A part that is not digested as it stands.
    private var rewritten: [UInt8] = []
    private var variables: [JSONMember] = []

    init(_ digest: KeyedDigest) {
        self.digest = digest
    }

    /// The digest of an `Id`.
    mutating func of(id: ByteRange, in chunk: borrowing Chunk) -> Digest96 {
        var text = Text(state: digest.begin())
        // The string "5" and the number 5 are one Id: a host that changes the type must not send anew.
        let isString = chunk.withBytes(of: id) { $0[0] == UInt8(ascii: "\"") }
        if Self.append(isString ? Self.inside(id) : id, in: chunk, to: &text) {
            text = Text(state: digest.begin())
            appendDecoded(id, in: chunk, to: &text)
        }
        return text.end(Ending.id)
    }

    /// The digest of all that a message has for the API.
    mutating func of(contentOf message: borrowing Message, in chunk: borrowing Chunk) -> Digest96 {
        var text = Text(state: digest.begin())
        var ending = Ending.content
        _ = Self.append(message.phoneNumber, in: chunk, to: &text)
        _ = Self.append(message.templateCode, in: chunk, to: &text)
        if !message.outID.isEmpty {
            _ = Self.append(message.outID, in: chunk, to: &text)
            ending |= Ending.outID
        }
        let start = text
        var isPlain = !Self.append(Self.inside(message.signName), in: chunk, to: &text)
        if !message.extensionCode.isEmpty {
            if Self.append(Self.inside(message.extensionCode), in: chunk, to: &text) { isPlain = false }
            ending |= Ending.extensionCode
        }
        if message.traits.contains(.hasParameters) {
            // Without blanks and escapes there is one way to write them.
            if Self.append(message.templateParameters, in: chunk, to: &text, notingBelow: 0x21) { isPlain = false }
            ending |= Ending.parameters
        }
        if !isPlain {
            text = start
            appendDecoded(message.signName, in: chunk, to: &text)
            if !message.extensionCode.isEmpty { appendDecoded(message.extensionCode, in: chunk, to: &text) }
            if message.traits.contains(.hasParameters) {
                appendRewritten(message.templateParameters, in: chunk, to: &text)
            }
        }
        return text.end(ending)
    }

    // MARK: - Parts

    /// A JSON string without its quotes.
    private static func inside(_ string: ByteRange) -> ByteRange {
        ByteRange(start: string.start &+ 1, count: string.count - 2)
    }

    /// Appends a part as it stands, and finds out whether it has a `\`, or a byte below a limit.
    @inline(__always)
    private static func append(
        _ part: ByteRange,
        in chunk: borrowing Chunk,
        to text: inout Text,
        notingBelow limit: UInt8 = 0,
    ) -> Bool {
        part.isRewritten
            ? append(chunk.rewritten.span, part.indices, to: &text, notingBelow: limit)
            : append(chunk.bytes.span, part.indices, to: &text, notingBelow: limit)
    }

    /// Appends the text of a JSON string.
    private mutating func appendDecoded(_ string: ByteRange, in chunk: borrowing Chunk, to text: inout Text) {
        rewritten.removeAll(keepingCapacity: true)
        chunk.withBytes(of: string) { JSONText.appendDecoded(copy $0, 1..<($0.count - 1), to: &rewritten) }
        _ = Self.append(rewritten.span, rewritten.indices, to: &text)
    }

    /// Appends an object of strings, so that neither white space nor escapes tell two of them apart.
    private mutating func appendRewritten(_ parameters: ByteRange, in chunk: borrowing Chunk, to text: inout Text) {
        rewritten.removeAll(keepingCapacity: true)
        chunk.withBytes(of: parameters) { bytes in
            // The parser has accepted the object, so scanning it again cannot fail.
            _ = try? JSONScanner.scanObject(copy bytes, in: 0..<bytes.count, into: &variables)
            rewritten.append(UInt8(ascii: "{"))
            for (index, variable) in variables.enumerated() {
                if index > 0 { rewritten.append(UInt8(ascii: ",")) }
                let value = (variable.value.lowerBound + 1)..<(variable.value.upperBound - 1)
                Self.appendString(bytes, variable.name, to: &rewritten)
                rewritten.append(UInt8(ascii: ":"))
                Self.appendString(bytes, value, to: &rewritten)
            }
            rewritten.append(UInt8(ascii: "}"))
        }
        _ = Self.append(rewritten.span, rewritten.indices, to: &text)
    }

    private static func appendString(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, to text: inout [UInt8]) {
        var decoded: [UInt8] = []
        JSONText.appendDecoded(copy bytes, range, to: &decoded)
        text.append(UInt8(ascii: "\""))
        JSONText.appendEscaped(decoded.span, to: &text)
        text.append(UInt8(ascii: "\""))
    }

    /// Appends a part, its end, and zeros up to a whole word.
    ///
    /// - Parameters:
    ///   - bytes: Holds the part.
    ///   - part: Where it stands: UTF-8.
    ///   - text: Receives it.
    ///   - limit: Bytes below it, at most 0x80, are noted.
    /// - Returns: Whether the part has a `\`, or a byte below the limit.
    @inline(__always)
    private static func append(
        _ bytes: borrowing Span<UInt8>,
        _ part: Range<Int>,
        to text: inout Text,
        notingBelow limit: UInt8 = 0,
    ) -> Bool {
        var noted: UInt64 = 0
        var index = part.lowerBound
        while part.upperBound &- index >= 8 {
            let word = bytes.word(at: index)
            noted |= word.bytes(UInt8(ascii: "\\"), orBelow: limit)
            text.append(word)
            index &+= 8
        }
        let restBits = UInt64(truncatingIfNeeded: part.upperBound &- index) &* 8
        // No byte of UTF-8, so that it ends the part whatever follows; it stands for all that is missing here, too.
        let end: UInt64 = .max &<< restBits
        // What stands behind the part is mostly there to be read with it, which takes no branch.
        let rest =
            bytes.count &- index >= 8
            ? bytes.word(at: index) & ~end
            : bytes.partialWord(at: index, byteCount: part.upperBound &- index)
        noted |= (rest | end).bytes(UInt8(ascii: "\\"), orBelow: limit)
        text.append(rest | 0xFF &<< restBits)
        return noted != 0
    }
}

extension UInt64 {
    /// Marks the bytes that are a certain one, or below another, at most 0x80, and maybe some above the first of them.
    ///
    /// - Returns: The highest bits of the bytes; zero if there are none.
    @inline(__always)
    fileprivate func bytes(_ byte: UInt8, orBelow limit: UInt8) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // The highest bit of a byte of the difference is set if the byte was below, or by a borrow from one that was.
        let different = self ^ ones &* UInt64(byte)
        let below = (self &- ones &* UInt64(limit)) & ~self | (different &- ones) & ~different
        return below & (ones &* 0x80)
    }
}
