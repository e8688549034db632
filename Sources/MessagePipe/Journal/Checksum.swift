// SPDX-License-Identifier: Apache-2.0

/// The CRC-32C of bytes, which tells a damaged record of the journal from a whole one.
///
/// Source: RFC 3720, appendix B.4; polynomial 0x1EDC6F41, reflected.
enum Checksum {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82F6_3B78 }
    }

    /// - Complexity: O(*n*) in the number of bytes.
    static func of(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        let table = Self.table.span
        var value: UInt32 = 0xFFFF_FFFF
        for index in range { value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])] }
        return ~value
    }
}
