// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Appends bytes.
    @inline(__always)
    package mutating func append(copying bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends a literal.
    @inline(__always)
    mutating func append(copying literal: StaticString) {
        append(copying: unsafe Span(_unsafeStart: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Appends the digits of a number.
    mutating func append(decimal number: UInt64) {
        if number >= 10 { append(decimal: number / 10) }
        append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number % 10))
    }

    /// Appends a part of some bytes.
    @inline(__always)
    package mutating func append(copying bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
        append(copying: bytes.extracting(range))
    }
}
