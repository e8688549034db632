// SPDX-License-Identifier: Apache-2.0

/// An instant of the calendar: seconds and nanoseconds since 1970-01-01T00:00:00Z.
///
/// The rules read no clock: every instant comes in as an argument, so a test decides what time it is. Instants before 1677 and
/// after 2262 become the first and the last that can be held, as time stamps and delays come from outside.
package struct WallTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    package var nanoseconds: Int64

    /// The start of the Unix era.
    package static let epoch = WallTime(seconds: 0)

    /// Creates an instant from whole seconds since 1970 in UTC.
    package init(seconds: Int64) {
        self.init(sinceEpoch: .seconds(seconds))
    }

    private init(sinceEpoch: Duration) {
        let (seconds, attoseconds) = min(max(sinceEpoch, .nanoseconds(Int64.min)), .nanoseconds(Int64.max)).components
        nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// Creates an instant from nanoseconds since 1970 in UTC.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Reads a time stamp as the service takes it: `yyyy-MM-ddTHH:mm:ssZ`, whole seconds only.
    ///
    /// Returns `nil` for any other text, also for one with milliseconds or an offset, and for a date that no calendar has.
    package init?(timestamp: String) {
        let bytes = Array(timestamp.utf8)
        let pattern = Array("0000-00-00T00:00:00Z".utf8)
        guard bytes.count == pattern.count else { return nil }
        for (byte, expected) in zip(bytes, pattern) {
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            guard expected == UInt8(ascii: "0") ? isDigit : byte == expected else { return nil }
        }
        func number(_ range: Range<Int>) -> Int {
            bytes[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }
        let date = CivilDate(year: number(0..<4), month: number(5..<7), day: number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        guard CivilDate(daysSinceEpoch: date.daysSinceEpoch) == date, hour < 24, minute < 60, second < 60 else {
            return nil
        }
        self.init(seconds: Int64(date.daysSinceEpoch) * 86_400 + Int64(hour * 3_600 + minute * 60 + second))
    }

    /// Whole seconds since 1970 in UTC, rounded down.
    package var seconds: Int64 { nanoseconds.flooredQuotient(by: 1_000_000_000) }

    /// Milliseconds since 1970 in UTC, rounded down.
    package var milliseconds: Int64 { nanoseconds.flooredQuotient(by: 1_000_000) }

    /// The instant a duration later.
    package static func + (time: WallTime, duration: Duration) -> WallTime {
        WallTime(sinceEpoch: .nanoseconds(time.nanoseconds) + duration)
    }

    /// The duration from one instant to another.
    package static func - (end: WallTime, start: WallTime) -> Duration {
        .nanoseconds(end.nanoseconds) - .nanoseconds(start.nanoseconds)
    }

    /// Orders instants in time.
    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    // MARK: Texts

    /// `yyyy-MM-ddTHH:mm:ssZ` in UTC.
    package var timestamp: String {
        let (date, clock) = parts(offsetHours: 0)
        return "\(date.text(separator: "-"))T\(clock)Z"
    }

    /// `yyyy-MM-dd HH:mm:ss` in China time, which is eight hours ahead of UTC all year.
    package var chinaText: String {
        let (date, clock) = parts(offsetHours: 8)
        return "\(date.text(separator: "-")) \(clock)"
    }

    /// `yyyyMMdd` in China time.
    package var chinaDate: String {
        parts(offsetHours: 8).date.text(separator: "")
    }

    /// The date as HTTP writes it, such as `Fri, 01 Mar 2024 08:00:00 GMT`.
    package var httpDate: String {
        let (date, clock) = parts(offsetHours: 0)
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekday = weekdays[((date.daysSinceEpoch % 7) + 7) % 7]
        return "\(weekday), \(CivilDate.padded(date.day, 2)) \(months[date.month - 1]) \(date.year) \(clock) GMT"
    }

    private func parts(offsetHours: Int64) -> (date: CivilDate, clock: String) {
        let local = seconds + offsetHours * 3_600
        let day = local.flooredQuotient(by: 86_400)
        let rest = Int(local - day * 86_400)
        let clock = [rest / 3_600, rest / 60 % 60, rest % 60].map { CivilDate.padded($0, 2) }.joined(separator: ":")
        return (CivilDate(daysSinceEpoch: Int(day)), clock)
    }
}

/// A day of the proleptic Gregorian calendar.
struct CivilDate: Equatable, Sendable {
    var year: Int
    var month: Int
    var day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    init(daysSinceEpoch: Int) {
        let shifted = daysSinceEpoch + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Source: as above, days_from_civil.
    var daysSinceEpoch: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    func text(separator: String) -> String {
        [Self.padded(year, 4), Self.padded(month, 2), Self.padded(day, 2)].joined(separator: separator)
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension FixedWidthInteger {
    /// The quotient rounded towards negative infinity.
    func flooredQuotient(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
