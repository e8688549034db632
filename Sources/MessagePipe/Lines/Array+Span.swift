// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Appends bytes.
    @inline(__always)
    package mutating func append(copying bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends a part of some bytes.
    @inline(__always)
    package mutating func append(copying bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
        append(copying: bytes.extracting(range))
    }
}
