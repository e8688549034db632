// SPDX-License-Identifier: Apache-2.0

/// What the spelling of a phone number says: whether it can be one, and where it is.
///
/// Mainland numbers have eleven digits from 1, after nothing, `+`, `+86`, `0086` or `86`; all others start with their country code.
/// Source: SendBatchSms reference, PhoneNumberJson.
package struct PhoneNumber: Equatable, Sendable {
    /// The most digits that are accepted: E.164 allows 15, and prefixes such as `0086` come on top.
    package static let maximumDigits = 24

    /// Stands for the number when two are compared; all spellings of a mainland number have the same.
    package let key: UInt64
    /// Whether the number lies outside mainland China.
    package let isInternational: Bool

    /// Reads the spelling of a number; `nil` if it is not digits with an optional leading `+`.
    ///
    /// - Parameters:
    ///   - bytes: Holds the number.
    ///   - range: The number's text.
    package init?(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
        var start = range.lowerBound
        let end = range.upperBound
        if start < end, bytes[start] == UInt8(ascii: "+") { start += 1 }
        let count = end - start
        guard count > 0, count <= Self.maximumDigits else { return nil }
        var value: UInt64 = 0
        if end &- start >= 8 {
            guard let high = Self.eightDigits(bytes.word(at: start)) else { return nil }
            value = high
            start &+= 8
        }
        while start < end {
            let digit = bytes[start] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            // Overflow makes two absurd numbers look alike, which only keeps them out of one request.
            value = value &* 10 &+ UInt64(digit)
            start &+= 1
        }
        switch (count, value) {
        case (11, 100_0000_0000...199_9999_9999):
            (key, isInternational) = (value, false)
        case (13, 86_100_0000_0000...86_199_9999_9999), (15, 86_100_0000_0000...86_199_9999_9999):
            // Fifteen digits with this value start with 0086.
            (key, isInternational) = (value - 86_000_0000_0000, false)
        default:
            (key, isInternational) = (value, true)
        }
    }

    /// The value of eight ASCII digits, the first in the lowest bits; `nil` if one is no digit.
    ///
    /// Neighbours are put together to pairs, fours and eights, each time all at once.
    private static func eightDigits(_ word: UInt64) -> UInt64? {
        let digits = word ^ 0x3030_3030_3030_3030
        // A byte above 9 carries into the half byte above it, or has one there already.
        guard (digits | (digits &+ 0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0 == 0 else { return nil }
        let pairs = (digits &* 10 &+ digits &>> 8) & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* 100 &+ pairs &>> 16) & 0x0000_FFFF_0000_FFFF
        return (fours &* 10_000 &+ fours &>> 32) & 0xFFFF_FFFF
    }
}
