// SPDX-License-Identifier: Apache-2.0

/// Digests as base64url, six bits a digit: half as long as they would be in hexadecimal with quotes around each.
///
/// Source: RFC 4648, section 5.
enum Base64URL {
    /// How many digits a key has.
    static let keyDigitCount = 16
    /// How many digits stand for a message's content.
    static let contentDigitCount = 10

    /// The digits of a key's bytes.
    @inline(__always)
    static func digits(of key: Digest96) -> SIMD16<UInt8> {
        let high = key.low.byteSwapped
        let low = high &<< 32 | UInt64(key.high.byteSwapped)
        return digits(of: high &>> 16, low & 0xFFFF_FFFF_FFFF)
    }

    /// The ten digits of 60 bits, and six that mean nothing.
    @inline(__always)
    static func digits(ofContent bits: UInt64) -> SIMD16<UInt8> {
        digits(of: bits &>> 12, (bits & 0xFFF) &<< 36)
    }

    /// The key that digits at an index stand for; `nil` if some are none.
    static func key(_ text: borrowing Span<UInt8>, at index: Int) -> Digest96? {
        guard let high = number(text, index..<(index + 8)), let low = number(text, (index + 8)..<(index + 16)) else {
            return nil
        }
        return Digest96(
            low: (high << 16 | low >> 32).byteSwapped,
            high: UInt32(truncatingIfNeeded: low).byteSwapped,
        )
    }

    /// The value of at most ten digits; `nil` if some are none.
    static func number(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var number: UInt64 = 0
        for index in range {
            let value: UInt8
            switch text[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = text[index] - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = text[index] - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = text[index] - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "_"): value = 63
            default: return nil
            }
            number = number << 6 | UInt64(value)
        }
        return number
    }

    /// Gives each six of 48 bits a byte, the first in the lowest: halves, quarters, eighths.
    @inline(__always)
    private static func spread(_ bits: UInt64) -> UInt64 {
        let halves = bits &>> 24 | (bits & 0xFF_FFFF) &<< 32
        let quarters = halves &>> 12 & 0x0000_0FFF_0000_0FFF | (halves & 0x0000_0FFF_0000_0FFF) &<< 16
        return quarters &>> 6 & 0x003F_003F_003F_003F | (quarters & 0x003F_003F_003F_003F) &<< 8
    }

    @inline(__always)
    private static func digits(of high: UInt64, _ low: UInt64) -> SIMD16<UInt8> {
        unsafe unsafeBitCast(SIMD2(digits(of: spread(high)), digits(of: spread(low))), to: SIMD16<UInt8>.self)
    }

    /// The digits of eight values below 64: each range of the alphabet is some way from the one before.
    @inline(__always)
    private static func digits(of values: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        func from(_ limit: UInt64, _ step: UInt64) -> UInt64 {
            ((values &+ ones &* (0x80 &- limit)) &>> 7 & ones) &* step
        }
        // No byte becomes negative on the way, or larger than a byte.
        return values &+ ones &* 65 &+ from(26, 6) &- from(52, 75) &- from(62, 13) &+ from(63, 49)
    }
}
