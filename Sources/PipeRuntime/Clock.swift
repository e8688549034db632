// SPDX-License-Identifier: Apache-2.0

import Glibc
package import MessagePipe

/// The clocks of the machine.
package enum Clock {
    /// Now, on the clock that never goes back, and goes on while the machine sleeps: messages grow old, and connections stale.
    package static var now: Instant {
        Instant(nanoseconds: nanoseconds(CLOCK_BOOTTIME))
    }

    /// Now, in seconds since 1970-01-01T00:00:00Z.
    package static var epochSeconds: Int {
        Int(nanoseconds(CLOCK_REALTIME) / 1_000_000_000)
    }

    /// When the clock of ``now`` stood at its origin, in nanoseconds since 1970-01-01T00:00:00Z.
    package static var origin: Int64 {
        nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME)
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
