// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewaySimulator
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

    @Test func `agrees with Foundation about any second of two centuries`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        for _ in 0..<200 {
            let seconds = Int64.random(in: -3_000_000_000...4_000_000_000, using: &generator)
            let (time, date) = (WallTime(seconds: seconds), Date(timeIntervalSince1970: Double(seconds)))
            formatter.timeZone = TimeZone(secondsFromGMT: 8 * 3_600)
            formatter.dateFormat = "yyyy-MM-dd HH:mm:ss"
            #expect(time.chinaText == formatter.string(from: date), "seed \(seed)")
            formatter.dateFormat = "yyyyMMdd"
            #expect(time.chinaDate == formatter.string(from: date), "seed \(seed)")
            formatter.timeZone = TimeZone(secondsFromGMT: 0)
            formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            #expect(time.httpDate == formatter.string(from: date), "seed \(seed)")
        }
    }
}
