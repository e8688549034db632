// SPDX-License-Identifier: Apache-2.0

/// Percent-encoding as both signature schemes want it.
///
/// The unreserved bytes `A-Z a-z 0-9 - _ . ~` stay, every other one becomes `%XX` in upper-case hex; a space is `%20`,
/// never `+`.
///
/// Source: RFC 3986, sections 2.1 and 2.3; "V3 request structure and signature".
package enum PercentEncoding {
    /// Appends the encoded form of bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to encode, usually UTF-8.
    ///   - buffer: Where the encoded form goes; grows by up to three times the number of bytes.
    /// - Complexity: O(*n*) in the number of bytes.
    package static func append(_ bytes: Span<UInt8>, to buffer: inout [UInt8]) {
        append(bytes, 0..<bytes.count, to: &buffer)
    }

    /// Appends the encoded form of a part of bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes that hold the part.
    ///   - range: The part to encode; within the bytes.
    ///   - buffer: Where the encoded form goes.
    /// - Complexity: O(*n*) in the length of the part.
    package static func append(_ bytes: Span<UInt8>, _ range: Range<Int>, to buffer: inout [UInt8]) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside of the bytes")
        append(rawBytes: range.count, to: &buffer) { $0.write(bytes.extracting(range)) }
    }

    /// Appends encoded forms that are written one after the other.
    ///
    /// - Parameters:
    ///   - count: The most bytes that will be encoded.
    ///   - buffer: Where the encoded forms go.
    ///   - write: Writes them.
    static func append(rawBytes count: Int, to buffer: inout [UInt8], _ write: (inout Writer) -> Void) {
        // Room for the rest of the last word is asked for too.
        let capacity = count * 3 + 1
        reserve(capacity, in: &buffer)
        buffer.append(addingCapacity: capacity) { output in
            unsafe output.withUnsafeMutableBufferPointer { target, initialized in
                guard let base = target.baseAddress else { return }
                unsafe words.span.withUnsafeBufferPointer { words in
                    guard let table = words.baseAddress else { return }
                    let start = unsafe UnsafeMutableRawPointer(base) + initialized
                    var writer = unsafe Writer(end: start, limit: start + count * 3, words: table)
                    write(&writer)
                    unsafe initialized += writer.end - start
                }
            }
        }
    }

    /// Writes encoded forms into a buffer that has room for them.
    ///
    /// Each step stores a whole word and moves on by the bytes of it that count: a byte's cost does not depend on what it is,
    /// and room is checked once for a text. Ten times as fast for short texts as an append for each.
    @safe struct Writer {
        fileprivate private(set) var end: UnsafeMutableRawPointer
        private let limit: UnsafeMutableRawPointer
        private let words: UnsafePointer<UInt32>

        fileprivate init(end: UnsafeMutableRawPointer, limit: UnsafeMutableRawPointer, words: UnsafePointer<UInt32>) {
            unsafe self.end = unsafe end
            unsafe self.limit = unsafe limit
            unsafe self.words = unsafe words
        }

        /// Writes the encoded form of a text.
        @inline(__always)
        mutating func write(_ text: borrowing Span<UInt8>) {
            unsafe precondition(limit - end >= text.count * 3, "more is encoded than was announced")
            var cursor = unsafe end
            for index in text.indices {
                let word = unsafe words[Int(text[index])]
                unsafe cursor.storeBytes(of: word.littleEndian, as: UInt32.self)
                unsafe cursor += Int(word >> 24)
            }
            unsafe end = unsafe cursor
        }

        /// Writes a byte that is encoded as three.
        @inline(__always)
        mutating func write(_ byte: UInt8) {
            unsafe precondition(limit - end >= 3, "more is encoded than was announced")
            let word = unsafe words[Int(byte)]
            unsafe end.storeBytes(of: word.littleEndian, as: UInt32.self)
            unsafe end += Int(word >> 24)
        }
    }

    /// Returns the bytes that an encoded text stands for.
    ///
    /// - Parameter text: The encoded text; a `+` stands for itself.
    /// - Returns: The decoded bytes, or `nil` when a `%` is not followed by two hexadecimal digits.
    /// - Complexity: O(*n*) in the length of the text.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "%") else {
                decoded.append(text[index])
                index += 1
                continue
            }
            guard index + 2 < text.count,
                let high = Hexadecimal.value(of: text[index + 1]),
                let low = Hexadecimal.value(of: text[index + 2])
            else { return nil }
            decoded.append(high << 4 | low)
            index += 3
        }
        return decoded
    }

    /// Makes room, at least doubling a buffer that is too small: many appends of a worst case stay linear.
    private static func reserve(_ count: Int, in buffer: inout [UInt8]) {
        let needed = buffer.count + count
        guard needed > buffer.capacity else { return }
        buffer.reserveCapacity(max(needed, buffer.capacity * 2))
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// For each byte its encoded form, first byte lowest, and in the top byte the form's length.
    private static let words: [256 of UInt32] = [256 of UInt32] { index in
        let byte = UInt8(index)
        guard !isUnreserved(byte) else { return 1 << 24 | UInt32(byte) }
        let high = UInt32(Hexadecimal.upperCaseDigit(byte >> 4))
        let low = UInt32(Hexadecimal.upperCaseDigit(byte & 15))
        return 3 << 24 | low << 16 | high << 8 | UInt32(UInt8(ascii: "%"))
    }
}
