// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GatewaySimulator
import MessagePipe
import Testing

@Suite struct WallTimeTests {
    @Test(arguments: ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2024-03-01T08:00:00Z", "2099-12-31T12:34:56Z"])
    func `reads a time stamp and writes it again`(text: String) throws {
        #expect(try #require(WallTime(timestamp: text)).timestamp == text)
    }

    @Test(arguments: [
        "", "2024-03-01 08:00:00", "2024-03-01T08:00:00", "2024-03-01T08:00:00.000Z", "2024-03-01T08:00:00+08:00",
        "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
    ])
    func `refuses what is no time stamp`(text: String) {
        #expect(WallTime(timestamp: text) == nil)
    }

    @Test func `holds instants that are too far away as the first and the last one`() throws {
        let (first, last) = (WallTime(nanoseconds: .min), WallTime(nanoseconds: .max))
        #expect(WallTime(timestamp: "0000-01-01T00:00:00Z") == first)
        #expect(WallTime(timestamp: "9999-12-31T23:59:59Z") == last)
        #expect(last + .seconds(1e12) == last)
        #expect(first + .seconds(-1e12) == first)
        #expect(first + (last - first) == last)
        #expect(last.timestamp == "2262-04-11T23:47:16Z")
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `agrees with Foundation about any second of two centuries`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        for _ in 0..<200 {
            let seconds = Int64.random(in: -3_000_000_000...4_000_000_000, using: &generator)
            let (time, date) = (WallTime(seconds: seconds), Date(timeIntervalSince1970: Double(seconds)))
            let china = try Parts(of: date, hoursEast: 8)
            #expect(time.chinaText == "\(china.year)-\(china.month)-\(china.day) \(china.clock)")
            #expect(time.chinaDate == china.year + china.month + china.day)
            let greenwich = try Parts(of: date, hoursEast: 0)
            let day = "\(days[greenwich.weekday - 1]), \(greenwich.day) \(months[(Int(greenwich.month) ?? 1) - 1])"
            #expect(time.httpDate == "\(day) \(greenwich.year) \(greenwich.clock) GMT")
        }
    }
}

/// What Foundation's calendar says of an instant, in digits.
private struct Parts {
    let year, month, day, clock: String
    /// From 1, Sunday.
    let weekday: Int

    init(of date: Date, hoursEast: Int) throws {
        let zone = try #require(TimeZone(secondsFromGMT: hoursEast * 3_600))
        let parts = Calendar(identifier: .gregorian).dateComponents(in: zone, from: date)
        func digits(_ number: Int?) throws -> String {
            let number = try #require(number)
            return (number < 10 ? "0" : "") + String(number)
        }
        (year, month, day) = try (digits(parts.year), digits(parts.month), digits(parts.day))
        clock = try [parts.hour, parts.minute, parts.second].map(digits).joined(separator: ":")
        weekday = try #require(parts.weekday)
    }
}
