// SPDX-License-Identifier: Apache-2.0

/// A 64-bit hash of message content, the same in every run.
///
/// It names messages in the duplicates ledger and phone numbers in the index. It resists accidents, not attackers.
enum ContentHash {
    /// The hash of some bytes.
    static func of(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a hash of bytes beyond the text")
        var hash = mix(UInt64(range.count) ^ 0x9E37_79B9_7F4A_7C15, 0xA076_1D64_78BD_642F)
        var offset = range.lowerBound
        while range.upperBound - offset > 8 {
            hash = mix(hash ^ word(bytes, at: offset), 0xE703_7ED1_A0B4_28DB)
            offset += 8
        }
        // The last word may overlap the one before it.
        let rest = range.count >= 8 ? word(bytes, at: range.upperBound - 8) : shortWord(bytes, range)
        return mix(hash ^ rest, 0x8EBC_6AF0_9C88_C6E3)
    }

    /// The hash of a text.
    static func of(_ text: String) -> UInt64 {
        let utf8 = text.utf8.span
        return of(utf8, 0..<utf8.count)
    }

    /// One hash made of two, in order.
    static func mix(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let product = first.multipliedFullWidth(by: second)
        // Without the sum a zero on either side would swallow the other.
        return (product.high ^ product.low) &+ first &+ second.byteSwapped
    }

    private static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        // Within the bytes by the caller's precondition; no safe unaligned load exists.
        unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
    }

    private static func shortWord(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var word: UInt64 = 0
        for index in range { word = word << 8 | UInt64(bytes[index]) }
        return word
    }
}
