// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How many requests a second the gateway seems to grant us: unlimited until it refuses one for coming too fast.
///
/// Concurrency alone cannot share a limit: 64 processes with one request each in flight on a fast link still send thousands
/// a second. So each process finds its rate by itself: a little more for each request that is accepted, a little less when
/// one is refused. Such flows converge to equal rates if the increase grows slower than the rate. Source: Bansal and
/// Balakrishnan, "Binomial Congestion Control Algorithms" (INFOCOM 2001). The constants were found by simulation; those of
/// `FairShareTests` hold with them.
struct RequestRate: Equatable, Sendable {
    /// What is lost of the rate when a request is refused, up to an eighth when all are.
    ///
    /// Little, so that luck does not soon tell processes apart that began alike.
    private static let decrease = 0.075
    /// What every process may try, so that none starves.
    private static let probingRate = 1.0
    /// The share of refused requests from which even that is too much, and the rate that remains then.
    private static let overload = 0.3
    private static let overloadRate = 0.25
    /// What a gateway that refuses for the first time is presumed to grant again soon, of half the rate that it granted until
    /// then, and at most.
    ///
    /// Without it a burst of refusals left three requests a second for twenty seconds; with more, processes that meet a small
    /// limit together are refused more than one request in ten.
    private static let presumedShare = 0.25
    private static let presumedRate = 50.0
    /// How fast a rate doubles that is known to be too low.
    private static let doublingTime = 0.25
    /// Without a refusal among this many times the requests that usually see one, the gateway has more to give.
    private static let quietMultiple = 8.0
    /// How long nothing may be refused before nothing is limited any more.
    private static let fadeTime = Duration.seconds(60)

    /// Requests a second; `nil` while they are unlimited.
    private(set) var current: Double?
    /// Up to this rate a decrease is soon undone; infinite while the gateway's limit is being searched for.
    private var provenRate = 0.0
    /// The share of refused requests among the last sixteen or so.
    private var refusedShare = 0.0
    private var acceptedSinceRefusal = 0.0
    private var lastDecrease = Instant(nanoseconds: 0)
    private var lastAcceptance = Instant(nanoseconds: 0)
    /// How long an answer takes, in seconds, smoothed as TCP does (RFC 6298).
    private var latency = 0.0

    /// How many requests are in flight at this rate, with a margin for answers that take longer than usual; 0 if unlimited.
    ///
    /// Little's law. With fewer in flight it would be the latency that limits the rate and not the gateway.
    private(set) var neededConcurrency = 0

    /// Notes that the gateway let a request pass.
    ///
    /// - Parameters:
    ///   - sentAt: When the request left.
    ///   - now: The time.
    ///   - isBinding: Whether requests wait for this rate; a rate that is not used says nothing about a higher one.
    mutating func accepted(sentAt: Instant, at now: Instant, isBinding: Bool) {
        guard let rate = current else { return }
        answered(after: sentAt.duration(to: now))
        refusedShare -= refusedShare / 16
        acceptedSinceRefusal += 1
        let elapsed = seconds(lastAcceptance.duration(to: now))
        lastAcceptance = now
        let quiet = acceptedSinceRefusal * refusals(at: rate)
        if quiet > Self.quietMultiple {
            guard lastDecrease.duration(to: now) < Self.fadeTime else {
                self = RequestRate()
                return
            }
            provenRate = .infinity
        }
        guard isBinding else { return }
        set(increased(rate, after: elapsed, quiet: quiet))
        if refusedShare < Self.overload { provenRate = max(provenRate, rate) }
    }

    /// Notes that the gateway refused a request for coming too fast.
    ///
    /// - Parameters:
    ///   - sentAt: When the request left.
    ///   - now: The time.
    ///   - inFlightCount: How many others are with the gateway.
    mutating func refused(sentAt: Instant, at now: Instant, inFlightCount: Int) {
        answered(after: sentAt.duration(to: now))
        acceptedSinceRefusal = 0
        refusedShare += (1 - refusedShare) / 16
        lastAcceptance = now
        guard let rate = current else {
            // Half the rate until now, by Little's law: those who begin together begin alike, whatever part of the burst
            // each had.
            lastDecrease = now
            refusedShare = 0.5
            let half = max(Self.probingRate, Double(inFlightCount + 1) / max(latency, 1e-4) / 2)
            provenRate = min(half * Self.presumedShare, Self.presumedRate)
            set(half)
            return
        }
        // Requests that left before the last decrease know nothing of it: once a round is enough.
        guard sentAt >= lastDecrease else { return }
        lastDecrease = now
        if provenRate == .infinity {
            // The search has doubled the rate once too often.
            provenRate = max(lowest(rate), rate / 2)
            set(provenRate)
        } else {
            let lowered = max(lowest(rate), rate * (1 - max(Self.decrease, refusedShare / 8)))
            // A gateway that refuses nearly all may be itself again soon: what it granted is forgotten more slowly.
            provenRate = refusedShare < Self.overload ? lowered : provenRate * (1 - Self.decrease / 2)
            set(lowered)
        }
    }

    /// How far a rate may be lowered.
    private func lowest(_ rate: Double) -> Double {
        min(rate, refusedShare > Self.overload ? Self.overloadRate : Self.probingRate)
    }

    /// What one accepted request makes of a rate.
    ///
    /// Below the proven rate it doubles in a quarter of a second, and at most once a request. Above, it grows as fast as
    /// balances the refusals that are due, and faster the longer none comes (after CUBIC, RFC 9438): a limit that has risen
    /// is found soon, one that is known is approached slowly.
    private func increased(_ rate: Double, after elapsed: Double, quiet: Double) -> Double {
        var rate = rate
        if rate < provenRate {
            rate = min(provenRate, rate * exp2(min(1, elapsed / (Self.doublingTime + latency))))
        } else {
            rate *= 1 + min(0.5, Self.decrease * refusals(at: rate) * max(1, quiet * quiet))
        }
        return refusedShare < Self.overload ? max(rate, Self.probingRate) : rate
    }

    /// The share of refused requests at which a rate is in balance.
    ///
    /// All processes see the same share, as nothing tells their requests apart, so all that are in balance have the same rate.
    /// The steeper, the sooner they agree; but it must stay below a tenth at one request a second and be enough to learn from
    /// at a thousand. Above thirty it falls faster than the rate grows: there refusals come in bursts that everybody sees,
    /// and only an increase that is slower for the faster ones lets these fall back.
    ///
    /// A round with more than a refusal in four would leave no time to see what a decrease did.
    private func refusals(at rate: Double) -> Double {
        let share = 0.08 / pow(rate * max(1, rate / 30), 0.6)
        return min(share, 1 / max(4 * rate * latency, 2))
    }

    private mutating func set(_ rate: Double) {
        current = min(rate, 1e6)
        neededConcurrency = Int((min(rate, 1e6) * latency * 2).rounded(.up)) + 2
    }

    private mutating func answered(after time: Duration) {
        latency += (seconds(time) - latency) / (latency == 0 ? 1 : 8)
    }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.nanoseconds) / 1e9
    }
}
