// SPDX-License-Identifier: Apache-2.0

/// Why a query or a form body cannot be read.
enum FormError: Error, Equatable, Sendable {
    /// A `%` that two hexadecimal digits do not follow, at this offset of the text.
    case badPercentEncoding(offset: Int)
    /// Decoded bytes that are no UTF-8; the offset is that of the parameter in the text.
    case badUTF8(offset: Int)
    /// More parameters than ``ParameterList/maximumCount``.
    case tooManyParameters
}

/// Percent-encoding as the service's signatures want it: RFC 3986 on UTF-8 bytes, hexadecimal digits in upper case.
///
/// Source: DOC-V3 "V3 request structure and signature"; the unreserved bytes are `A-Z a-z 0-9 - _ . ~`.
enum PercentCoding {
    private static let hexDigits: [UInt8] = Array("0123456789ABCDEF".utf8)
    private static let isUnreserved: [Bool] = (0..<256).map { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Appends the encoded form of some bytes.
    static func appendEncoded(_ bytes: Span<UInt8>, in range: Range<Int>, to output: inout [UInt8]) {
        let unreserved = isUnreserved
        let digits = hexDigits
        for index in range {
            let byte = bytes[index]
            if unreserved[Int(byte)] {
                output.append(byte)
            } else {
                output.append(UInt8(ascii: "%"))
                output.append(digits[Int(byte >> 4)])
                output.append(digits[Int(byte & 15)])
            }
        }
    }

    /// Appends the encoded form of the encoded form of some bytes, as the string to sign of signature V1 holds them.
    static func appendTwiceEncoded(_ bytes: Span<UInt8>, in range: Range<Int>, to output: inout [UInt8]) {
        let unreserved = isUnreserved
        let digits = hexDigits
        for index in range {
            let byte = bytes[index]
            if unreserved[Int(byte)] {
                output.append(byte)
            } else {
                output.append(UInt8(ascii: "%"))
                output.append(UInt8(ascii: "2"))
                output.append(UInt8(ascii: "5"))
                output.append(digits[Int(byte >> 4)])
                output.append(digits[Int(byte & 15)])
            }
        }
    }

    /// Whether a byte is one of `%`, `&`, `+` and `=`, which stand for something else in a form.
    static func isFormSign(_ byte: UInt8) -> Bool {
        // Bits 37, 38, 43 and 61.
        byte < 64 && 0x2000_0860_0000_0000 as UInt64 >> UInt64(byte) & 1 == 1
    }

    /// The value of a hexadecimal digit of either case; `nil` for any other byte.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
