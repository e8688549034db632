// SPDX-License-Identifier: Apache-2.0

/// Base64 text with padding.
///
/// Source: RFC 4648, section 4.
package enum Base64 {
    /// Appends the Base64 form of bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to write.
    ///   - text: Where the characters go, four for every three bytes begun.
    /// - Complexity: O(*n*) in the number of bytes.
    package static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let rest = bytes.count - index
            let first = UInt32(bytes[index])
            let second = rest > 1 ? UInt32(bytes[index + 1]) : 0
            let third = rest > 2 ? UInt32(bytes[index + 2]) : 0
            let group = first << 16 | second << 8 | third
            text.append(character(group >> 18))
            text.append(character(group >> 12 & 63))
            text.append(rest > 1 ? character(group >> 6 & 63) : UInt8(ascii: "="))
            text.append(rest > 2 ? character(group & 63) : UInt8(ascii: "="))
            index += 3
        }
    }

    /// Returns the bytes that a text stands for.
    ///
    /// - Parameter text: The text, with or without padding; blanks and line ends between the characters do not count.
    /// - Returns: The bytes, or `nil` for a text that is no Base64.
    /// - Complexity: O(*n*) in the length of the text.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var (group, digitCount, paddingCount) = (UInt32(0), 0, 0)
        for index in text.indices {
            switch text[index] {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "="):
                paddingCount += 1
                continue
            default: break
            }
            guard paddingCount == 0, let value = value(of: text[index]) else { return nil }
            group = group << 6 | value
            digitCount += 1
            if digitCount.isMultiple(of: 4) {
                for shift in [UInt32(16), 8, 0] { bytes.append(UInt8(truncatingIfNeeded: group >> shift)) }
            }
        }
        // What is left are two digits for one byte, or three for two.
        switch digitCount % 4 {
        case 0 where paddingCount == 0: break
        case 2 where paddingCount == 0 || paddingCount == 2:
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        case 3 where paddingCount <= 1:
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        default: return nil
        }
        return bytes
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    private static func character(_ value: UInt32) -> UInt8 {
        let value = UInt8(value)
        return switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
