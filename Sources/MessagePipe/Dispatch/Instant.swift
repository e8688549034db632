// SPDX-License-Identifier: Apache-2.0

/// A moment on a clock that never goes back, in nanoseconds from an origin that the caller chooses.
package struct Instant: InstantProtocol, Hashable, Sendable {
    /// Nanoseconds since the origin.
    package var nanoseconds: Int64

    /// A moment before all others: of what is due whatever the time is.
    static let beforeAll = Instant(nanoseconds: .min)

    /// Creates the moment that many nanoseconds after the origin.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The moment that much later; the first or the last there is where it would lie beyond.
    package func advanced(by duration: Duration) -> Instant {
        let (sum, isCut) = nanoseconds.addingReportingOverflow(duration.nanoseconds)
        guard isCut else { return Instant(nanoseconds: sum) }
        return Instant(nanoseconds: duration < .zero ? .min : .max)
    }

    /// How long it is until another moment; negative if that is earlier, and at most 292 years either way.
    package func duration(to other: Instant) -> Duration {
        let (difference, isCut) = other.nanoseconds.subtractingReportingOverflow(nanoseconds)
        guard isCut else { return .nanoseconds(difference) }
        return .nanoseconds(other < self ? Int64.min : Int64.max)
    }

    package static func < (one: Instant, other: Instant) -> Bool {
        one.nanoseconds < other.nanoseconds
    }
}

extension Duration {
    /// The duration in whole nanoseconds; more than 146 years either way are cut to that.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let limit = Int64.max / 2_000_000_000
        guard (-limit...limit).contains(seconds) else { return (seconds < 0 ? -limit : limit) * 1_000_000_000 }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
