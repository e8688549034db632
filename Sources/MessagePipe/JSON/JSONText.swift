// SPDX-License-Identifier: Apache-2.0

/// The text inside JSON strings: out of their escapes, and back into them.
package enum JSONText {
    /// The text of a string that ``JSONScanner`` has accepted, as UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: Holds the string.
    ///   - range: Where the string stands, its quotes included.
    /// - Returns: The text.
    /// - Complexity: O(*n*) in the range's bytes.
    package static func decodeString(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        appendDecoded(bytes, (range.lowerBound + 1)..<(range.upperBound - 1), to: &text)
        return text
    }

    /// Appends the text of the inside of a string that ``JSONScanner`` has accepted.
    ///
    /// - Parameters:
    ///   - bytes: Holds the string.
    ///   - range: The string without its quotes.
    ///   - text: Receives UTF-8.
    package static func appendDecoded(_ bytes: Span<UInt8>, _ range: Range<Int>, to text: inout [UInt8]) {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                index += 1
                continue
            }
            let letter = bytes[index + 1]
            index += 2
            switch letter {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                var unit = unit(bytes, at: index)
                index += 4
                if unit & 0xFC00 == 0xD800 {
                    unit = 0x1_0000 + (unit & 0x3FF) << 10 + self.unit(bytes, at: index + 2) & 0x3FF
                    index += 6
                }
                appendScalar(unit, to: &text)
            default: text.append(letter)
            }
        }
    }

    /// Appends text as the inside of a JSON string: escapes what must be escaped, and nothing else.
    ///
    /// - Parameters:
    ///   - text: Well-formed UTF-8.
    ///   - buffer: Receives the escaped text, without quotes.
    package static func appendEscaped(_ text: Span<UInt8>, to buffer: inout [UInt8]) {
        var plain = 0
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            buffer.append(copying: text, plain..<index)
            plain = index + 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                buffer.append(UInt8(ascii: "\\"))
                buffer.append(byte)
            case 0x0A: buffer.append(contentsOf: "\\n".utf8)
            case 0x0D: buffer.append(contentsOf: "\\r".utf8)
            case 0x09: buffer.append(contentsOf: "\\t".utf8)
            default:
                buffer.append(contentsOf: "\\u00".utf8)
                buffer.append(hexadecimalDigit(byte >> 4))
                buffer.append(hexadecimalDigit(byte & 0xF))
            }
        }
        buffer.append(copying: text, plain..<text.count)
    }

    /// Appends a whole JSON string: quotes and escaped text.
    package static func appendString(_ text: String, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\""))
        appendEscaped(text.utf8.span, to: &buffer)
        buffer.append(UInt8(ascii: "\""))
    }

    /// Appends a JSON string, or `null` where there is no text.
    package static func appendString(_ text: String?, to buffer: inout [UInt8]) {
        if let text {
            appendString(text as String, to: &buffer)
        } else {
            buffer.append(contentsOf: "null".utf8)
        }
    }

    /// The value of a hexadecimal digit of either case, `nil` for any other byte.
    package static func hexadecimalValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// The lower-case hexadecimal digit of a value below 16.
    package static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// The UTF-16 unit that four hexadecimal digits spell; they were checked by the scanner.
    private static func unit(_ bytes: Span<UInt8>, at index: Int) -> UInt32 {
        var unit: UInt32 = 0
        for digit in index..<(index + 4) { unit = unit << 4 | (hexadecimalValue(bytes[digit]) ?? 0) }
        return unit
    }

    private static func appendScalar(_ value: UInt32, to text: inout [UInt8]) {
        // The scanner accepts no surrogate without its pair, so every value here is a scalar.
        guard let scalar = Unicode.Scalar(value) else { preconditionFailure("a lone surrogate passed the scanner") }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}
