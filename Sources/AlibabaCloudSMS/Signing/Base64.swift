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
