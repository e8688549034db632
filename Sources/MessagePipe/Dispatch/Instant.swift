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

    package func advanced(by duration: Duration) -> Instant {
        Instant(nanoseconds: nanoseconds.addingReportingOverflow(duration.nanoseconds).partialValue)
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
    /// The duration in whole nanoseconds; more than 146 years are cut to that.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let limit = Int64.max / 2_000_000_000
        guard seconds < limit else { return limit * 1_000_000_000 }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
