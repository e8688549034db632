// SPDX-License-Identifier: Apache-2.0

/// What is digested of a message, in words.
///
/// Each part is ended and filled up to a whole word, so that no bytes have to be moved to follow those before them.
struct DigestText: Sendable {
    /// What stands at the end: what it is, and which of the parts that may be absent it has.
    private enum Ending {
        static let id = UInt64(UInt8(ascii: "I"))
        static let content = UInt64(UInt8(ascii: "C"))
        static let outID: UInt64 = 1 << 8
        static let extensionCode: UInt64 = 1 << 9
        static let parameters: UInt64 = 1 << 10
    }

    /// The words, the last of which has the text's length in the top byte.
    private(set) var words: [UInt64] = []
    /// A part that is not digested as it stands.
    private var rewritten: [UInt8] = []
    private var variables: [JSONMember] = []

    /// Takes an `Id`.
    mutating func assign(id: ByteRange, in chunk: borrowing Chunk) {
        words.removeAll(keepingCapacity: true)
        // The string "5" and the number 5 are one Id: a host that changes the type must not send anew.
        let isString = chunk.withBytes(of: id) { $0[0] == UInt8(ascii: "\"") }
        if append(isString ? Self.inside(id) : id, in: chunk) {
            words.removeAll(keepingCapacity: true)
            appendDecoded(id, in: chunk)
        }
        end(Ending.id)
    }

    /// Takes all that a message has for the API.
    mutating func assign(contentOf message: borrowing Message, in chunk: borrowing Chunk) {
        words.removeAll(keepingCapacity: true)
        var ending = Ending.content
        _ = append(message.phoneNumber, in: chunk)
        _ = append(message.templateCode, in: chunk)
        if !message.outID.isEmpty {
            _ = append(message.outID, in: chunk)
            ending |= Ending.outID
        }
        let start = words.count
        var isPlain = !append(Self.inside(message.signName), in: chunk)
        if !message.extensionCode.isEmpty {
            if append(Self.inside(message.extensionCode), in: chunk) { isPlain = false }
            ending |= Ending.extensionCode
        }
        if message.traits.contains(.hasParameters) {
            // Without blanks and escapes there is one way to write them.
            if append(message.templateParameters, in: chunk, notingBelow: 0x21) { isPlain = false }
            ending |= Ending.parameters
        }
        if !isPlain {
            words.removeLast(words.count - start)
            appendDecoded(message.signName, in: chunk)
            if !message.extensionCode.isEmpty { appendDecoded(message.extensionCode, in: chunk) }
            if message.traits.contains(.hasParameters) { appendRewritten(message.templateParameters, in: chunk) }
        }
        end(ending)
    }

    // MARK: - Parts

    private mutating func end(_ ending: UInt64) {
        words.append(ending | UInt64(truncatingIfNeeded: words.count &* 8 &+ 2) &<< 56)
    }

    /// A JSON string without its quotes.
    private static func inside(_ string: ByteRange) -> ByteRange {
        ByteRange(start: string.start &+ 1, count: string.count - 2)
    }

    /// Appends a part as it stands, and finds out whether it has a `\`, or a byte below a limit.
    @inline(__always)
    private mutating func append(_ part: ByteRange, in chunk: borrowing Chunk, notingBelow limit: UInt8 = 0) -> Bool {
        part.isRewritten
            ? append(chunk.rewritten.span, part.indices, notingBelow: limit)
            : append(chunk.bytes.span, part.indices, notingBelow: limit)
    }

    /// Appends the text of a JSON string.
    private mutating func appendDecoded(_ string: ByteRange, in chunk: borrowing Chunk) {
        rewritten.removeAll(keepingCapacity: true)
        chunk.withBytes(of: string) { JSONText.appendDecoded(copy $0, 1..<($0.count - 1), to: &rewritten) }
        appendRewritten()
    }

    /// Appends an object of strings, so that neither white space nor escapes tell two of them apart.
    private mutating func appendRewritten(_ parameters: ByteRange, in chunk: borrowing Chunk) {
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
        appendRewritten()
    }

    private mutating func appendRewritten() {
        let rewritten = rewritten
        _ = append(rewritten.span, rewritten.indices)
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
    ///   - limit: Bytes below it, at most 0x80, are noted.
    /// - Returns: Whether the part has a `\`, or a byte below the limit.
    @inline(__always)
    private mutating func append(_ bytes: borrowing Span<UInt8>, _ part: Range<Int>, notingBelow limit: UInt8 = 0)
        -> Bool
    {
        var noted: UInt64 = 0
        var index = part.lowerBound
        while part.upperBound &- index >= 8 {
            let word = bytes.word(at: index)
            noted |= word.bytes(UInt8(ascii: "\\"), orBelow: limit)
            words.append(word)
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
        words.append(rest | 0xFF &<< restBits)
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
