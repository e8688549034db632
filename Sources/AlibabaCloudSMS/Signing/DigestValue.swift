// SPDX-License-Identifier: Apache-2.0

/// A digest, which lies where it is kept: each request has four, and none is worth an allocation.
package struct DigestValue: Equatable, Sendable {
    /// The digest, and zeros behind it up to the length of the longest.
    private var storage = InlineArray<32, UInt8>(repeating: 0)
    private let count: Int

    /// Creates a digest that a function of libcrypto writes.
    @safe
    init(count: Int, _ write: (UnsafeMutablePointer<UInt8>?) -> Void) {
        precondition(count <= storage.count, "no digest is so long")
        self.count = count
        var span = storage.mutableSpan
        unsafe span.withUnsafeMutableBufferPointer { unsafe write($0.baseAddress) }
    }

    /// The digest's bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(storage.span.extracting(first: count))
        return bytes
    }

    /// Appends the digest in lower-case hexadecimal, two digits a byte.
    package func appendHexadecimal(to text: inout [UInt8]) {
        Hexadecimal.append(storage.span.extracting(first: count), to: &text)
    }

    package static func == (one: DigestValue, other: DigestValue) -> Bool {
        one.count == other.count && one.storage.indices.allSatisfy { one.storage[$0] == other.storage[$0] }
    }
}
