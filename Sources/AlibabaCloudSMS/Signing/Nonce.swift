// SPDX-License-Identifier: Apache-2.0

/// The value that makes each request unlike every other, for the gateway's guard against replays.
package struct Nonce: Equatable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// Creates a nonce of 128 random bits.
    ///
    /// - Parameter generator: Where the bits come from.
    package init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }

    /// Creates a nonce from its bits.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The nonce as it travels: 32 lower-case hexadecimal digits.
    package var text: String {
        var digits: [UInt8] = []
        append(to: &digits)
        return String(decoding: digits, as: UTF8.self)
    }

    /// Appends the nonce as it travels.
    func append(to text: inout [UInt8]) {
        text.append(addingCapacity: 32) { output in
            Self.append(high, to: &output)
            Self.append(low, to: &output)
        }
    }

    private static func append(_ bits: UInt64, to digits: inout OutputSpan<UInt8>) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            digits.append(Hexadecimal.lowerCaseDigit(UInt8(truncatingIfNeeded: bits >> shift) & 15))
        }
    }
}
