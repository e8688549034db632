// SPDX-License-Identifier: Apache-2.0

/// Hexadecimal text.
package enum Hexadecimal {
    /// Appends the lower-case digits of bytes, two a byte.
    ///
    /// - Parameters:
    ///   - bytes: The bytes to write.
    ///   - text: Where the digits go.
    /// - Complexity: O(*n*) in the number of bytes.
    package static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
        text.append(addingCapacity: bytes.count * 2) { output in
            for index in bytes.indices {
                output.append(lowerCaseDigit(bytes[index] >> 4))
                output.append(lowerCaseDigit(bytes[index] & 15))
            }
        }
    }

    /// The value of a digit of either case; `nil` for any other byte.
    package static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    static func lowerCaseDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    static func upperCaseDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
