// SPDX-License-Identifier: Apache-2.0

/// A range of bytes in eight bytes: a message has nine of them.
package struct ByteRange: Equatable, Sendable {
    /// The index of the first byte.
    package var start: UInt32
    /// The number of bytes.
    package var count: UInt32

    /// The range of no bytes, which stands for an absent member.
    package static let none = ByteRange(start: 0, count: 0)

    /// Creates a range from its first index and its length.
    package init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    /// - Precondition: The range lies below 2 GiB; a block is never that large.
    package init(_ range: Range<Int>) {
        start = UInt32(range.lowerBound)
        count = UInt32(range.count)
    }

    /// The bit of the start that says that the bytes are not those that were read.
    static let rewrittenBit: UInt32 = 1 << 31

    /// Whether there are no bytes: the member is absent.
    package var isEmpty: Bool { count == 0 }

    /// Whether a range of a message lies in its chunk's rewritten texts, not in the lines as they were read.
    package var isRewritten: Bool { start & Self.rewrittenBit != 0 }

    /// The indices of a message's range, within the rewritten texts or the lines.
    package var indices: Range<Int> {
        let start = Int(start & ~Self.rewrittenBit)
        return start..<(start + Int(count))
    }
}
