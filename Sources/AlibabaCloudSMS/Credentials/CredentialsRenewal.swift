// SPDX-License-Identifier: Apache-2.0

/// Decides when temporary credentials are renewed: before they end, and again where that failed.
///
/// Times are seconds since 1970-01-01T00:00:00Z.
package struct CredentialsRenewal: Sendable {
    /// How long before their end credentials are renewed, as the SDKs do; those that live shorter, after two thirds.
    private static let margin = 15 * 60
    /// The waits after the first failed attempt and after those that follow one another, at most.
    private static let pause = 5
    private static let longestPause = 60

    private var dueAt: Int
    private var endsAt: Int
    private var isUnderWay = false
    private var pause = Self.pause

    /// Creates the plan for credentials; `nil` if nobody knows that they end.
    ///
    /// - Parameters:
    ///   - credentials: The credentials.
    ///   - now: When they were got.
    package init?(_ credentials: Credentials, at now: Int) {
        guard let expiration = credentials.expiration else { return nil }
        dueAt = Self.dueAt(expiration, now)
        endsAt = expiration
    }

    /// Whether new ones are to be asked for now; once it has been told, not again until the outcome is known.
    package mutating func begins(at now: Int) -> Bool {
        guard !isUnderWay, now >= dueAt else { return false }
        isUnderWay = true
        return true
    }

    /// Whether the credentials have ended and new ones are on their way: what is signed with the old ones now would be refused.
    package func isAwaited(at now: Int) -> Bool { isUnderWay && now >= endsAt }

    /// Notes new credentials.
    package mutating func renewed(_ credentials: Credentials, at now: Int) {
        isUnderWay = false
        pause = Self.pause
        endsAt = credentials.expiration ?? .max
        // Those that have ended when they come are asked for again, but not all the time.
        dueAt = credentials.expiration.map { max(Self.dueAt($0, now), now + 1) } ?? .max
    }

    /// Notes that there are no new ones.
    package mutating func failed(at now: Int) {
        isUnderWay = false
        dueAt = now + pause
        pause = min(pause * 2, Self.longestPause)
    }

    private static func dueAt(_ expiration: Int, _ now: Int) -> Int {
        expiration - min(margin, max(0, expiration - now) / 3)
    }
}
