// SPDX-License-Identifier: Apache-2.0

extension Span<UInt8> {
    /// Eight bytes from an index, the first in the lowest bits.
    ///
    /// - Precondition: All eight lie within the span.
    @inline(__always)
    package func word(at index: Int) -> UInt64 {
        precondition(index >= 0 && index <= count &- 8, "a word beyond the bytes")
        // Checked above; no safe unaligned load exists.
        return unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
    }

    /// Sixteen bytes from an index.
    ///
    /// - Precondition: All sixteen lie within the span.
    @inline(__always)
    func vector(at index: Int) -> SIMD16<UInt8> {
        precondition(index >= 0 && index <= count &- 16, "a vector beyond the bytes")
        // Checked above; no safe unaligned load exists.
        return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
    }

    /// Four bytes from an index, the first in the lowest bits.
    ///
    /// - Precondition: All four lie within the span.
    @inline(__always)
    package func halfWord(at index: Int) -> UInt32 {
        precondition(index >= 0 && index <= count &- 4, "a word beyond the bytes")
        // Checked above; no safe unaligned load exists.
        return unsafe UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt32.self))
    }

    /// Up to seven bytes from an index, the first in the lowest bits, zeros above them.
    ///
    /// - Precondition: All `byteCount` lie within the span.
    @inline(__always)
    func partialWord(at index: Int, byteCount: Int) -> UInt64 {
        if byteCount >= 4 {
            // The two halves may overlap.
            let low = UInt64(halfWord(at: index))
            let high = UInt64(halfWord(at: index &+ byteCount &- 4))
            return low | high &<< UInt64(truncatingIfNeeded: (byteCount &- 4) &* 8)
        }
        var word: UInt64 = 0
        for offset in 0..<byteCount {
            word |= UInt64(self[index &+ offset]) &<< UInt64(truncatingIfNeeded: offset &* 8)
        }
        return word
    }

    /// Whether a literal stands at an index.
    ///
    /// - Precondition: The span has as many bytes from the index on as the literal.
    @inline(__always)
    func equals(_ literal: StaticString, at index: Int) -> Bool {
        let other = unsafe Span(_unsafeStart: literal.utf8Start, count: literal.utf8CodeUnitCount)
        return equals(other, at: index)
    }

    /// Whether other bytes stand at an index.
    ///
    /// - Precondition: The span has as many bytes from the index on as the other.
    @inline(__always)
    func equals(_ other: borrowing Span<UInt8>, at index: Int) -> Bool {
        let byteCount = other.count
        guard byteCount >= 8 else {
            return partialWord(at: index, byteCount: byteCount) == other.partialWord(at: 0, byteCount: byteCount)
        }
        var offset = 0
        while offset < byteCount &- 8 {
            guard word(at: index &+ offset) == other.word(at: offset) else { return false }
            offset &+= 8
        }
        // The last word may overlap the one before it.
        return word(at: index &+ byteCount &- 8) == other.word(at: byteCount &- 8)
    }
}
