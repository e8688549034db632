// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS

/// The service's clock as far as it is known: ours, until a refusal says that it is another.
struct ServiceClock {
    /// Times that a gateway may have, from 2000 to 2099 UTC: with one far from them no date could be written, and a journal that has
    /// one not be read again.
    private static let plausibleTimes = 946_684_800..<4_102_444_800

    /// How far it is ahead of ours, in seconds.
    private var offset = 0

    /// The time by it, in seconds since 1970.
    var epochSeconds: Int { Clock.epochSeconds + offset }

    /// Takes over the time of an answer, so that a request signed anew is found fresh.
    mutating func correct(by answer: HTTPAnswer) {
        guard let time = Self.time(of: answer) else { return }
        offset = time - Clock.epochSeconds
    }

    /// When an answer was given by the service's own clock, in seconds since 1970; `nil` if it does not tell.
    static func time(of answer: HTTPAnswer) -> Int? {
        guard let time = answer.field("date").flatMap({ CivilTime(httpDate: $0)?.epochSeconds }),
            plausibleTimes.contains(time)
        else { return nil }
        return time
    }
}
