// SPDX-License-Identifier: Apache-2.0

/// 96 bits that stand for a text.
///
/// Among a thousand million texts two have the same with a probability of 6 in 10^12: half the square of their number in
/// 2^96.
package struct Digest96: Hashable, Sendable {
    /// The first eight bytes, little-endian.
    package var low: UInt64
    /// The last four bytes, little-endian.
    package var high: UInt32

    /// Creates a digest from its parts.
    package init(low: UInt64, high: UInt32) {
        self.low = low
        self.high = high
    }
}

/// The first 96 of the 128 bits of SipHash-1-3: a digest that nobody can compute without the key.
///
/// Written here, because the core has no cryptography library, and because one digest for each message has to be cheap.
/// These are the rounds that hash tables of Rust and Python trust with what their attackers choose; nobody has told their
/// output from random bits. Whoever has the journal has the key, which is where the digests' secrecy ends anyway.
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
    package func digest(of text: borrowing Span<UInt8>) -> Digest96 {
        var state = begin()
        var index = 0
        while text.count &- index >= 8 {
            state.compress(text.word(at: index))
            index &+= 8
        }
        state.compress(text.partialWord(at: index, byteCount: text.count &- index) | UInt64(text.count) &<< 56)
        return state.finish()
    }

    /// Begins the digest of a text that comes in words, the last of which has its length in bytes, modulo 256, in the top byte.
    @inline(__always)
    func begin() -> State { State(keys) }

    /// The digest of the words so far.
    struct State {
        private var v0, v1, v2, v3: UInt64

        @inline(__always)
        fileprivate init(_ keys: (UInt64, UInt64)) {
            v0 = keys.0 ^ 0x736F_6D65_7073_6575
            v1 = keys.1 ^ 0x646F_7261_6E64_6F6D ^ 0xEE
            v2 = keys.0 ^ 0x6C79_6765_6E65_7261
            v3 = keys.1 ^ 0x7465_6462_7974_6573
        }

        @inline(__always)
        private mutating func round() {
            v0 &+= v1
            v1 = v1 &<< 13 | v1 &>> 51
            v1 ^= v0
            v0 = v0 &<< 32 | v0 &>> 32
            v2 &+= v3
            v3 = v3 &<< 16 | v3 &>> 48
            v3 ^= v2
            v0 &+= v3
            v3 = v3 &<< 21 | v3 &>> 43
            v3 ^= v0
            v2 &+= v1
            v1 = v1 &<< 17 | v1 &>> 47
            v1 ^= v2
            v2 = v2 &<< 32 | v2 &>> 32
        }

        /// Takes the next word.
        @inline(__always)
        mutating func compress(_ word: UInt64) {
            v3 ^= word
            round()
            v0 ^= word
        }

        /// Ends the text.
        @inline(__always)
        mutating func finish() -> Digest96 {
            v2 ^= 0xEE
            for _ in 0..<3 { round() }
            let low = v0 ^ v1 ^ v2 ^ v3
            v1 ^= 0xDD
            for _ in 0..<3 { round() }
            return Digest96(low: low, high: UInt32(truncatingIfNeeded: v0 ^ v1 ^ v2 ^ v3))
        }
    }
}
