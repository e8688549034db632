// SPDX-License-Identifier: Apache-2.0

/// The CRC-32C of bytes, which tells a damaged record of the journal from a whole one.
///
/// Sixteen bytes a step, each by a table of its own.
/// Source: RFC 3720, appendix B.4; polynomial 0x1EDC6F41, reflected.
enum Checksum {
    /// The n-th 256 values are for a byte with n bytes behind it.
    private static let tables: [4096 of UInt32] = {
        var tables = [4096 of UInt32](repeating: 0)
        for byte in 0..<256 {
            tables[byte] = (0..<8).reduce(UInt32(byte)) { value, _ in
                value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82F6_3B78
            }
        }
        for index in 256..<4096 {
            let value = tables[index - 256]
            tables[index] = value >> 8 ^ tables[Int(value & 0xFF)]
        }
        return tables
    }()

    /// - Complexity: O(*n*) in the number of bytes.
    static func of(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        var index = range.lowerBound
        while range.upperBound &- index >= 16 {
            value = step(bytes.word(at: index) ^ UInt64(value), 8) ^ step(bytes.word(at: index &+ 8), 0)
            index &+= 16
        }
        while index < range.upperBound {
            value = value &>> 8 ^ tables[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])]
            index &+= 1
        }
        return ~value
    }

    /// What eight bytes with some bytes behind them amount to.
    @inline(__always)
    private static func step(_ word: UInt64, _ behind: Int) -> UInt32 {
        var value: UInt32 = 0
        for byte in 0..<8 {
            let place = Int(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: 8 &* byte) & 0xFF)
            value ^= tables[(behind &+ 7 &- byte) &* 256 &+ place]
        }
        return value
    }
}
