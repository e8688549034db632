// SPDX-License-Identifier: Apache-2.0

/// Decides when temporary credentials are renewed: before they end, when the gateway finds them expired, and again where that failed.
///
/// Times are seconds since 1970-01-01T00:00:00Z, by the gateway's clock where it is known to be another.
package struct CredentialsRenewal: Sendable {
    /// How long before their end credentials are renewed, as the SDKs do; those that live shorter, after two thirds.
    private static let margin = 15 * 60
    /// The waits after the first failed attempt and after those that follow one another, at most.
    private static let pause = 5
    private static let longestPause = 60

    /// How long after a renewal refusals may be about what was signed before.
    private static let refusalAge = 10

    private var dueAt: Int
    private var endsAt: Int
    private var isUnderWay = false
    private var renewedAt = Int.min / 2
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

    /// Notes that the gateway finds the credentials expired, whatever their end says.
    package mutating func refused(at now: Int) {
        guard now - renewedAt > Self.refusalAge else { return }
        endsAt = min(endsAt, now)
        if !isUnderWay { dueAt = min(dueAt, now) }
    }

    /// Notes new credentials.
    package mutating func renewed(_ credentials: Credentials, at now: Int) {
        renewedAt = now
        endsAt = credentials.expiration ?? .max
        guard let expiration = credentials.expiration, expiration <= now else {
            isUnderWay = false
            pause = Self.pause
            dueAt = credentials.expiration.map { max(Self.dueAt($0, now), now + 1) } ?? .max
            return
        }
        // They have ended already, or the clock is wrong: they are used, and asked for again as after a failure.
        failed(at: now)
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
