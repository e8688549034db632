// SPDX-License-Identifier: Apache-2.0

/// A day in China, by which the service files its records.
package struct SendDate: Comparable, Sendable {
    /// The number that the digits `yyyyMMdd` make.
    package let number: UInt32

    /// Creates a day.
    ///
    /// - Parameter number: The number that the digits `yyyyMMdd` make; `nil` comes out for one that is no day.
    package init?(number: UInt32) {
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100)
        guard (1...9_999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        guard day <= Self.dayCount(ofMonth: month, year) else { return nil }
        self.number = number
    }

    /// Creates a day.
    ///
    /// - Parameter text: `yyyyMMdd`, as response lines have it; `nil` comes out for anything else.
    init?(text: String) {
        guard text.utf8.count == 8, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt32(text)
        else { return nil }
        self.init(number: number)
    }

    private init(year: UInt32, month: UInt32, day: UInt32) {
        number = year * 10_000 + month * 100 + day
    }

    /// The day after.
    var next: SendDate {
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100)
        if day < Self.dayCount(ofMonth: month, year) { return SendDate(year: year, month: month, day: day + 1) }
        return month < 12 ? SendDate(year: year, month: month + 1, day: 1) : SendDate(year: year + 1, month: 1, day: 1)
    }

    /// The day before.
    var previous: SendDate {
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100)
        if day > 1 { return SendDate(year: year, month: month, day: day - 1) }
        let (last, itsYear) = month > 1 ? (month - 1, year) : (12, year - 1)
        return SendDate(year: itsYear, month: last, day: Self.dayCount(ofMonth: last, itsYear))
    }

    package static func < (one: SendDate, other: SendDate) -> Bool {
        one.number < other.number
    }

    private static func dayCount(ofMonth month: UInt32, _ year: UInt32) -> UInt32 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}
