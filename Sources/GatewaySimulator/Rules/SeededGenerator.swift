// SPDX-License-Identifier: Apache-2.0

/// A generator of random bits whose whole sequence follows from its seed.
///
/// Source: Guy Steele, Doug Lea, Christine Flood, "Fast splittable pseudorandom number generators", SplitMix64.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Creates a generator.
    ///
    /// - Parameter seed: Any number; equal seeds give equal sequences.
    package init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

extension RandomNumberGenerator {
    /// A request id in the service's form: a UUID (version 4) in upper case.
    mutating func nextRequestID() -> String {
        var text = ""
        text.reserveCapacity(36)
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        var (high, low) = (next(), next())
        high = high & ~0xF000 | 0x4000
        low = low & ~(0xC000_0000_0000_0000) | 0x8000_0000_0000_0000
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.unicodeScalars.append("-") }
            let word = index < 16 ? high : low
            text.unicodeScalars.append(digits[Int(word >> UInt64(60 - index % 16 * 4) & 15)])
        }
        return text
    }

    /// A receipt id in the service's form: eighteen digits, a caret, and a number.
    ///
    /// Source: api 3.2.
    mutating func nextBizID() -> String {
        "\(UInt64.random(in: 100_000_000_000_000_000...999_999_999_999_999_999, using: &self))^0"
    }

    /// Letters and digits, as access keys are made of.
    mutating func nextKey(prefix: String, count: Int) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return prefix + String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &self)] })
    }
}
