// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// What comes back of look-ups: exactly one report for each.
extension StatusEngine {
    /// Reports that a look-up was answered with records.
    package mutating func answered(_ id: RequestID, _ details: SendDetails, at now: Instant) {
        let inquiry = takeAnswered(id, at: now)
        goOn(inquiry, hasMorePages: inquiry.take(details), at: now)
    }

    /// Reports that a look-up was refused.
    package mutating func refused(_ id: RequestID, _ answer: Answer, at now: Instant) {
        switch answer.codeClass {
        case .message, .batch, .batchOrMessage, .unknownRefusal:
            let inquiry = takeAnswered(id, at: now)
            inquiry.refused()
            tally.failure = .code(answer.code)
            goOn(inquiry, hasMorePages: false, at: now)
        case .throttle:
            let inquiry = take(id)
            lastAnswer = now
            tally.throttled += 1
            limit.throttled(sentAt: inquiry.sentAt, at: now)
            pacer.throttled(sentAt: inquiry.sentAt, at: now, inFlightCount: inFlightCount, using: &generator)
            tryAgain(inquiry, after: answer.retryAfter, .code(answer.code), at: now)
        case .stale:
            let inquiry = take(id)
            lastAnswer = now
            if isStopped {
                settle(inquiry)
            } else if inquiry.isSignedAnew {
                settle(inquiry)
                stop(.credentials(answer))
            } else {
                inquiry.isSignedAnew = true
                ready.prepend(inquiry)
            }
        case .credentials:
            settle(take(id))
            stop(.credentials(answer))
        case .account:
            settle(take(id))
            stop(.account(answer))
        case .success, .ambiguous:
            tryAgain(take(id), .code(answer.code), at: now)
        }
    }

    /// Reports that a look-up did not leave.
    package mutating func notSent(_ id: RequestID, _ reason: NotSentReason, at now: Instant) {
        let inquiry = take(id)
        if !reachability.isReached {
            if case .certificate = reason {
                settle(inquiry)
                stop(.unreachable(reason))
                return
            }
            reachability.failed(reason, startedAt: inquiry.sentAt)
        }
        tryAgain(inquiry, .notSent(reason), at: now)
    }

    /// Reports that a look-up left and no answer tells anything.
    package mutating func unanswered(_ id: RequestID, _ doubt: Doubt, at now: Instant) {
        tryAgain(take(id), .unanswered(doubt), at: now)
    }

    private mutating func takeAnswered(_ id: RequestID, at now: Instant) -> Inquiry {
        let inquiry = take(id)
        lastAnswer = now
        limit.answered()
        pacer.accepted(sentAt: inquiry.sentAt, at: now)
        inquiry.answered()
        return inquiry
    }

    /// Asks for the next page or day, begins another round later, or settles the inquiry.
    private mutating func goOn(_ inquiry: Inquiry, hasMorePages: Bool, at now: Instant) {
        let isRoundOver = !hasMorePages && !inquiry.nextDay(today: today)
        if isStopped {
            settle(inquiry, isAnswered: isRoundOver && !inquiry.isRefused)
        } else if !isRoundOver {
            // Ahead of others: its line may be what the others wait for.
            ready.prepend(inquiry)
        } else if let next = inquiry.endRound(at: now) {
            wake(inquiry, at: next)
        } else {
            settle(inquiry, isAnswered: !inquiry.isRefused)
        }
    }

    /// Makes a look-up again later that has failed, unless it has failed for long.
    private mutating func tryAgain(
        _ inquiry: Inquiry,
        after asked: Duration? = nil,
        _ failure: LookUpFailure,
        at now: Instant,
    ) {
        if isStopped {
            settle(inquiry)
            return
        }
        let since = inquiry.failed()
        let wait = retryPolicy.wait(after: inquiry.attempts, retryAfter: asked, using: &generator)
        let next = now.advanced(by: wait)
        if next <= since.advanced(by: Self.deadline) {
            wake(inquiry, at: next)
            return
        }
        tally.failure = failure
        settle(inquiry)
        // A gateway that has answered nobody all the while is gone.
        guard lastAnswer.map({ $0 <= since }) ?? true else { return }
        switch failure {
        case .notSent(let reason): stop(.unreachable(reason))
        case .unanswered(let doubt): stop(.unreachable(.noConnection(doubt.text)))
        case .code(let code): stop(.unreachable(.noConnection("nothing but \(code)")))
        }
    }

    /// Lets a line come out with what is known of its message.
    ///
    /// - Parameters:
    ///   - inquiry: The line's.
    ///   - isAnswered: Whether its message was asked about and the service has answered.
    mutating func settle(_ inquiry: Inquiry, isAnswered: Bool = false) {
        inquiry.settle()
        tally.count(inquiry, isAnswered: isAnswered)
    }
}
