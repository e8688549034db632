// SPDX-License-Identifier: Apache-2.0

/// 128 bits that stand for a text.
package struct Digest128: Hashable, Sendable {
    /// The first eight bytes, little-endian.
    package var low: UInt64
    /// The last eight bytes, little-endian.
    package var high: UInt64

    /// Creates a digest from its halves.
    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
}

/// SipHash-2-4 with 128 bits of output: a digest that nobody can compute without the key.
///
/// Written here, because the core has no cryptography library, and because one digest for each message has to be cheap.
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", and its reference code for 128 bits.
package struct KeyedDigest: Sendable {
    /// The length of a key in bytes.
    package static let keyByteCount = 16

    private let keys: (UInt64, UInt64)

    /// Creates a digest with a key.
    ///
    /// - Parameter key: ``keyByteCount`` bytes.
    package init(key: [UInt8]) {
        precondition(key.count == Self.keyByteCount, "a key of \(key.count) bytes")
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        keys = (word(key[..<8]), word(key[8...]))
    }

    /// The digest of a text.
    ///
    /// - Complexity: O(*n*) in the text's bytes.
    package func digest(of text: borrowing Span<UInt8>) -> Digest128 {
        var digestion = begin()
        digestion.append(text)
        return digestion.finish()
    }

    /// Begins the digest of a text that comes in parts.
    func begin() -> Digestion { Digestion(State(keys)) }

    /// A digest under way, so that the parts of a text need not be brought together first.
    struct Digestion {
        private var state: State
        /// The bytes behind the last whole word, the first in the lowest bits.
        private var rest: UInt64 = 0
        private var count: UInt64 = 0

        fileprivate init(_ state: State) {
            self.state = state
        }

        @inline(__always)
        mutating func append(_ byte: UInt8) {
            append(UInt64(byte), byteCount: 1)
        }

        @inline(__always)
        mutating func append(_ part: borrowing Span<UInt8>) {
            var index = 0
            while part.count &- index >= 8 {
                append(part.word(at: index), byteCount: 8)
                index &+= 8
            }
            append(part.partialWord(at: index, byteCount: part.count &- index), byteCount: UInt64(part.count &- index))
        }

        /// Appends the lowest bytes of a word that is zero above them.
        @inline(__always)
        private mutating func append(_ word: UInt64, byteCount: UInt64) {
            let restBits = (count & 7) &* 8
            rest |= word &<< restBits
            if (count & 7) &+ byteCount >= 8 {
                state.compress(rest)
                // In two steps, since without a rest all 64 bits go.
                rest = (word &>> 1) &>> (63 &- restBits)
            }
            count &+= byteCount
        }

        mutating func finish() -> Digest128 {
            state.compress(rest | count &<< 56)
            return state.finish()
        }
    }

    fileprivate struct State {
        var v0, v1, v2, v3: UInt64

        init(_ keys: (UInt64, UInt64)) {
            v0 = keys.0 ^ 0x736F_6D65_7073_6575
            v1 = keys.1 ^ 0x646F_7261_6E64_6F6D ^ 0xEE
            v2 = keys.0 ^ 0x6C79_6765_6E65_7261
            v3 = keys.1 ^ 0x7465_6462_7974_6573
        }

        @inline(__always)
        mutating func round() {
            v0 &+= v1
            v1 = v1 << 13 | v1 >> 51
            v1 ^= v0
            v0 = v0 << 32 | v0 >> 32
            v2 &+= v3
            v3 = v3 << 16 | v3 >> 48
            v3 ^= v2
            v0 &+= v3
            v3 = v3 << 21 | v3 >> 43
            v3 ^= v0
            v2 &+= v1
            v1 = v1 << 17 | v1 >> 47
            v1 ^= v2
            v2 = v2 << 32 | v2 >> 32
        }

        @inline(__always)
        mutating func compress(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        mutating func finish() -> Digest128 {
            v2 ^= 0xEE
            for _ in 0..<4 { round() }
            let low = v0 ^ v1 ^ v2 ^ v3
            v1 ^= 0xDD
            for _ in 0..<4 { round() }
            return Digest128(low: low, high: v0 ^ v1 ^ v2 ^ v3)
        }
    }
}
