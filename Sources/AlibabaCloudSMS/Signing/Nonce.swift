// SPDX-License-Identifier: Apache-2.0

/// The value that makes each request unlike every other, for the gateway's guard against replays.
package struct Nonce: Equatable, Sendable {
    /// The nonce as it travels: 32 lower-case hexadecimal digits.
    package let text: String

    /// Creates a nonce of 128 random bits.
    ///
    /// - Parameter generator: Where the bits come from.
    package init(using generator: inout some RandomNumberGenerator) {
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for _ in 0..<2 {
            let bits = generator.next()
            for shift in stride(from: 60, through: 0, by: -4) {
                digits.append(Hexadecimal.lowerCaseDigit(UInt8(truncatingIfNeeded: bits >> UInt64(shift)) & 15))
            }
        }
        text = String(decoding: digits, as: UTF8.self)
    }

    /// Creates a nonce from its text.
    package init(_ text: String) {
        self.text = text
    }
}
