// SPDX-License-Identifier: Apache-2.0

/// The CRC-32C of bytes, which tells a damaged record of the journal from a whole one.
///
/// Eight bytes a step, each by a table of its own.
/// Source: RFC 3720, appendix B.4; polynomial 0x1EDC6F41, reflected.
enum Checksum {
    /// The n-th table of 256 values is for a byte with n bytes behind it.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82F6_3B78 }
        }
        for index in 256..<(8 * 256) {
            let value = tables[index - 256]
            tables.append(value >> 8 ^ tables[Int(value & 0xFF)])
        }
        return tables
    }()

    /// - Complexity: O(*n*) in the number of bytes.
    static func of(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        let tables = Self.tables.span
        var value: UInt32 = 0xFFFF_FFFF
        var index = range.lowerBound
        while range.upperBound &- index >= 8 {
            let word = bytes.word(at: index) ^ UInt64(value)
            value = 0
            for byte in 0..<8 {
                value ^= tables[(7 &- byte) &* 256 &+ Int(truncatingIfNeeded: word &>> UInt64(8 &* byte) & 0xFF)]
            }
            index &+= 8
        }
        while index < range.upperBound {
            value = value >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])]
            index &+= 1
        }
        return ~value
    }
}
