// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Glibc
package import MessagePipe

/// The clocks of the machine.
package enum Clock {
    /// Now, on the clock that never goes back.
    package static var now: Instant {
        Instant(nanoseconds: nanoseconds(CLOCK_MONOTONIC))
    }

    /// Now, in seconds since 1970-01-01T00:00:00Z.
    package static var epochSeconds: Int {
        Int(nanoseconds(CLOCK_REALTIME) / 1_000_000_000)
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// The day in China, which the service counts its messages by.
struct ChinaDate {
    private var day = Int.min
    private var date: UInt32 = 0

    /// The date at a time, as the number `yyyyMMdd`.
    mutating func date(at epochSeconds: Int) -> UInt32 {
        // China has had one zone, UTC+8, and no summer time since 1991.
        let seconds = epochSeconds + 8 * 3600
        if seconds / 86400 != day {
            day = seconds / 86400
            let time = CivilTime(epochSeconds: seconds)
            date = UInt32(time.year * 10000 + time.month * 100 + time.day)
        }
        return date
    }
}
