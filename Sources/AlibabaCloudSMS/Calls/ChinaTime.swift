// SPDX-License-Identifier: Apache-2.0

/// China Standard Time, eight hours ahead of UTC all year, in which the service counts its days.
package enum ChinaTime {
    private static let offsetSeconds = 8 * 3_600

    /// Returns the day of a point in time as a number.
    ///
    /// - Parameter epochSeconds: Seconds since 1970-01-01T00:00:00Z.
    /// - Returns: The number that the digits `yyyyMMdd` make. Source: QuerySendDetails reference, SendDate.
    package static func dateNumber(epochSeconds: Int) -> UInt32 {
        let time = CivilTime(epochSeconds: epochSeconds + offsetSeconds)
        return UInt32(clamping: time.year * 10_000 + time.month * 100 + time.day)
    }

    /// How far from midnight both days are asked for: clocks of machines that are kept right differ by less.
    private static let nearMidnightSeconds = 300

    /// Returns the day to ask for in one of several look-ups of a message.
    ///
    /// Which day the service counted is uncertain when the message left near midnight: then the neighbouring day is asked for
    /// in every second look-up.
    ///
    /// - Parameters:
    ///   - date: The day on which the message left by our clock, `yyyyMMdd` as a number.
    ///   - sentAt: When it left, in seconds since 1970-01-01T00:00:00Z.
    ///   - attempt: Counts the look-ups of the message, from 1.
    /// - Returns: The day, as a number.
    package static func dateNumber(_ date: UInt32, orItsNeighbourAt sentAt: Int, attempt: Int) -> UInt32 {
        guard attempt.isMultiple(of: 2) else { return date }
        let dates = [sentAt - nearMidnightSeconds, sentAt + nearMidnightSeconds].map { dateNumber(epochSeconds: $0) }
        guard dates.contains(date) else { return date }
        return dates.first { $0 != date } ?? date
    }

    /// Returns the point in time that a text of the service names.
    ///
    /// - Parameter text: `yyyy-MM-dd HH:mm:ss`, as send details and receipts have it.
    /// - Returns: Seconds since 1970-01-01T00:00:00Z; `nil` for any other text.
    package static func epochSeconds(of text: String) -> Int? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let time = CivilTime(iso8601: "\(parts[0])T\(parts[1])Z") else { return nil }
        return time.epochSeconds - offsetSeconds
    }
}
