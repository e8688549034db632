// SPDX-License-Identifier: Apache-2.0

/// When the next request may leave: at the rate of messages that the user allows, and of requests that the gateway grants.
struct Pacer: Equatable, Sendable {
    /// How far requests may catch up after a late wake-up; more would be a burst.
    private static let maximumLag = Duration.milliseconds(5)

    private let nanosecondsPerMessage: Double?
    private var messagePermit: Instant?
    private var rate = RequestRate()
    /// The even times of paced requests; each leaves between its own and the next.
    private var slot = Instant(nanoseconds: 0)
    private var requestPermit: Instant?
    /// Whether requests leave as soon as the rate lets them.
    private var isBinding = false

    init(messagesPerSecond: Double?) {
        nanosecondsPerMessage = messagesPerSecond.map { 1e9 / $0 }
    }

    /// When the next request may leave; `nil` for at once.
    var nextPermit: Instant? {
        guard let messagePermit, let requestPermit else { return messagePermit ?? requestPermit }
        return max(messagePermit, requestPermit)
    }

    /// How many requests must be allowed in flight so that the rate can be reached.
    var neededConcurrency: Int { rate.neededConcurrency }

    func allows(at now: Instant) -> Bool {
        guard let nextPermit else { return true }
        return nextPermit <= now
    }

    /// Notes that a request leaves.
    mutating func sent(_ messages: Int, at now: Instant, using generator: inout some RandomNumberGenerator) {
        if let nanosecondsPerMessage {
            let from = max(messagePermit ?? now, now.advanced(by: .zero - Self.maximumLag))
            messagePermit = from.advanced(by: .nanoseconds(Int64(Double(messages) * nanosecondsPerMessage)))
        }
        guard let requestsPerSecond = rate.current else {
            requestPermit = nil
            return
        }
        let gap = Duration.nanoseconds(Int64(1e9 / requestsPerSecond))
        let lag = max(gap, Self.maximumLag)
        if let requestPermit { isBinding = requestPermit.duration(to: now) < lag / 2 }
        slot = max(slot, now.advanced(by: .zero - lag)).advanced(by: gap)
        requestPermit = slot.advanced(by: spread(gap, using: &generator))
    }

    /// Notes that the messages of a request were not taken and will leave again: the rate is of messages that are sent.
    ///
    /// What is left of the request's own time is for others. What has passed is not: with it, refusals that come late and close
    /// together would let through in a second what many seconds allow.
    mutating func returned(_ messages: Int, sentAt: Instant, at now: Instant) {
        guard let nanosecondsPerMessage, let permit = messagePermit else { return }
        let left = now.duration(to: sentAt.advanced(by: .nanoseconds(Int64(Double(messages) * nanosecondsPerMessage))))
        guard left > .zero, permit > now else { return }
        messagePermit = max(permit.advanced(by: .zero - left), now)
    }

    /// Notes that the gateway let a request pass.
    mutating func accepted(sentAt: Instant, at now: Instant) {
        rate.accepted(sentAt: sentAt, at: now, isBinding: isBinding)
        if rate.current == nil { requestPermit = nil }
    }

    /// Notes that the gateway refused a request for coming too fast.
    mutating func throttled(
        sentAt: Instant,
        at now: Instant,
        inFlightCount: Int,
        using generator: inout some RandomNumberGenerator,
    ) {
        let wasUnlimited = rate.current == nil
        rate.refused(sentAt: sentAt, at: now, inFlightCount: inFlightCount)
        guard wasUnlimited, let requestsPerSecond = rate.current else { return }
        slot = now
        isBinding = true
        requestPermit = now.advanced(by: spread(.nanoseconds(Int64(1e9 / requestsPerSecond)), using: &generator))
    }

    /// A part of a gap between requests: without it, processes in step would meet a full gateway again and again.
    private func spread(_ gap: Duration, using generator: inout some RandomNumberGenerator) -> Duration {
        .nanoseconds(Int64.random(in: 0...gap.nanoseconds, using: &generator))
    }
}
