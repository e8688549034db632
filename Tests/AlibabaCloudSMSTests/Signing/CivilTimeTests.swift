// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import FoundationEssentials
import Testing

struct CivilTimeTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"),
        (1_709_280_000, "2024-03-01T08:00:00Z"),
        (1_709_251_199, "2024-02-29T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ])
    func `writes and reads the signing schemes' time stamp`(_ seconds: Int, _ stamp: String) {
        #expect(CivilTime(epochSeconds: seconds).iso8601 == stamp)
        #expect(CivilTime(iso8601: stamp)?.epochSeconds == seconds)
    }

    @Test func `agrees with Foundation from 1900 to 2200`() throws {
        let calendar = Calendar(identifier: .gregorian)
        let zone = try #require(TimeZone(secondsFromGMT: 0))
        for step in 0..<3_000 {
            let seconds = -2_208_988_800 + step * 3_155_321
            let parts = calendar.dateComponents(in: zone, from: Date(timeIntervalSince1970: Double(seconds)))
            let time = CivilTime(epochSeconds: seconds)
            #expect([time.year, time.month, time.day] == [parts.year, parts.month, parts.day])
            #expect([time.hour, time.minute, time.second] == [parts.hour, parts.minute, parts.second])
            #expect(time.epochSeconds == seconds)
        }
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (1_709_280_000, "Fri, 01 Mar 2024 08:00:00 GMT"),
    ])
    func `writes and reads the fixed form of an HTTP date`(_ seconds: Int, _ date: String) {
        #expect(CivilTime(epochSeconds: seconds).httpDate == date)
        #expect(CivilTime(httpDate: date)?.epochSeconds == seconds)
    }

    @Test(arguments: [
        "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 31 Feb 2021 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
    ])
    func `reads no other HTTP date`(_ date: String) {
        #expect(CivilTime(httpDate: date) == nil)
    }

    @Test(arguments: [
        "", "2024-03-01", "2024-03-01T08:00:00.0Z", "2024-02-30T08:00:00Z", "2024-13-01T08:00:00Z",
        "2024-00-01T08:00:00Z", "2024-03-01 08:00:00Z", "2024-03-01T08:00:60Z", "２024-03-01T08:00Z",
    ])
    func `reads no other time stamp`(_ stamp: String) {
        #expect(CivilTime(iso8601: stamp) == nil)
    }
}
