// SPDX-License-Identifier: Apache-2.0

/// A date and time of the Gregorian calendar without a time zone, to the second.
package struct CivilTime: Equatable, Sendable {
    /// The year, such as 2024.
    package var year: Int
    /// The month, 1 to 12.
    package var month: Int
    /// The day of the month, 1 to 31.
    package var day: Int
    /// The hour, 0 to 23.
    package var hour: Int
    /// The minute, 0 to 59.
    package var minute: Int
    /// The second, 0 to 59; this scale has no leap seconds.
    package var second: Int

    /// Creates a time from its parts.
    package init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// Creates the UTC time of a point in time.
    ///
    /// - Parameter epochSeconds: Seconds since 1970-01-01T00:00:00Z.
    package init(epochSeconds: Int) {
        let days = epochSeconds.flooredQuotient(by: 86_400)
        let seconds = epochSeconds - days * 86_400

        // Years are counted from 1 March, so that the leap day ends one; 400 of them, an era, have 146,097 days, and
        // 719,468 days lie between 0000-03-01 and 1970-01-01.
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Five months from March on have 153 days, over and over.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = seconds / 3_600
        minute = seconds / 60 % 60
        second = seconds % 60
    }

    /// Creates a time from its text.
    ///
    /// - Parameter text: `yyyy-MM-ddTHH:mm:ssZ`; `nil` comes out for anything else.
    package init?(iso8601 text: String) {
        let text = Array(text.utf8)
        guard text.count == 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            text[19] == UInt8(ascii: "Z"),
            let year = Self.number(text[0..<4]), let month = Self.number(text[5..<7]),
            let day = Self.number(text[8..<10]), let hour = Self.number(text[11..<13]),
            let minute = Self.number(text[14..<16]), let second = Self.number(text[17..<19])
        else { return nil }
        self.init(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard isValid else { return nil }
    }

    /// Creates a time from the text of an HTTP `Date` header.
    ///
    /// - Parameter text: The fixed form, such as `Sun, 06 Nov 1994 08:49:37 GMT`; `nil` comes out for the obsolete ones
    ///   and anything else. Source: RFC 9110, section 5.6.7.
    package init?(httpDate text: String) {
        let text = Array(text.utf8)
        guard text.count == 29, text[3] == UInt8(ascii: ","), text[4] == UInt8(ascii: " "),
            text[7] == UInt8(ascii: " "), text[11] == UInt8(ascii: " "), text[16] == UInt8(ascii: " "),
            text[19] == UInt8(ascii: ":"), text[22] == UInt8(ascii: ":"),
            text[25...].elementsEqual(" GMT".utf8),
            let month = Self.months.firstIndex(where: { text[8..<11].elementsEqual($0.utf8) }),
            let day = Self.number(text[5..<7]), let year = Self.number(text[12..<16]),
            let hour = Self.number(text[17..<19]), let minute = Self.number(text[20..<22]),
            let second = Self.number(text[23..<25])
        else { return nil }
        self.init(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
        guard isValid else { return nil }
    }

    /// Seconds since 1970-01-01T00:00:00Z, this time taken as UTC.
    package var epochSeconds: Int {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let era = yearFromMarch.flooredQuotient(by: 400)
        let yearOfEra = yearFromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return days * 86_400 + hour * 3_600 + minute * 60 + second
    }

    /// The text `yyyy-MM-ddTHH:mm:ssZ`, this time taken as UTC.
    ///
    /// Both signature schemes take this form only. Source: SMS "request signature"; "V3 request structure and
    /// signature".
    package var iso8601: String {
        var text: [UInt8] = []
        text.reserveCapacity(20)
        appendDate(to: &text)
        text.append(UInt8(ascii: "T"))
        appendClock(to: &text)
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// The text of an HTTP `Date` header, such as `Sun, 06 Nov 1994 08:49:37 GMT`, this time taken as UTC.
    ///
    /// Source: RFC 9110, section 5.6.7.
    package var httpDate: String {
        // 1970-01-01 was a Thursday.
        let day = epochSeconds.flooredQuotient(by: 86_400)
        let weekday = Self.weekdays[day - day.flooredQuotient(by: 7) * 7]
        var text = Array("\(weekday), ".utf8)
        Self.append(self.day, digits: 2, to: &text)
        text.append(contentsOf: " \(Self.months[month - 1]) ".utf8)
        Self.append(year, digits: 4, to: &text)
        text.append(UInt8(ascii: " "))
        appendClock(to: &text)
        text.append(contentsOf: " GMT".utf8)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends `yyyy-MM-dd`.
    private func appendDate(to text: inout [UInt8]) {
        Self.append(year, digits: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        Self.append(month, digits: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        Self.append(day, digits: 2, to: &text)
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    /// Appends `HH:mm:ss`.
    private func appendClock(to text: inout [UInt8]) {
        Self.append(hour, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        Self.append(minute, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        Self.append(second, digits: 2, to: &text)
    }

    /// Whether the parts name a day and time that exist: then they come back from the seconds unchanged.
    private var isValid: Bool {
        (1...12).contains(month) && CivilTime(epochSeconds: epochSeconds) == self
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func append(_ value: Int, digits: Int, to text: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}

extension Int {
    /// The quotient rounded down, where `/` rounds towards zero.
    fileprivate func flooredQuotient(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
