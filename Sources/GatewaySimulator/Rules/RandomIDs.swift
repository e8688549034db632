// SPDX-License-Identifier: Apache-2.0

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
