// SPDX-License-Identifier: Apache-2.0

/// What a run of `status` has done so far, in numbers.
package struct StatusTally: Sendable {
    /// Lines that could not be looked up, and the first of them.
    package struct Lines: Sendable {
        /// How many there are.
        package private(set) var count = 0
        /// The number of the first in the input; 0 if there is none.
        package private(set) var first: UInt64 = 0

        mutating func note(_ line: UInt64) {
            count += 1
            if first == 0 { first = line }
        }
    }

    /// Lines read.
    package internal(set) var lines = 0
    /// Lines of messages that were delivered.
    package private(set) var delivered = 0
    /// Lines of messages that were sent and not delivered.
    package private(set) var failed = 0
    /// Lines of messages whose receipt is awaited.
    package private(set) var waiting = 0
    /// Lines of messages that the service has no record of, or several that may be theirs.
    package private(set) var notFound = 0
    /// Lines of messages that were asked about in vain, or not at all as the run was stopped.
    package private(set) var unanswered = 0
    /// Lines of messages whose day the service does not answer about: it is too old, or something is wrong with the line.
    package private(set) var refused = 0
    /// Lines of messages that were never sent.
    package private(set) var unsent = 0
    /// Lines of messages that were not to be sent.
    package private(set) var planned = 0
    /// Lines of sent messages that do not say how to find them, as `--no-echo` leaves them.
    package private(set) var unsearchable = Lines()
    /// Lines that are no response lines.
    package private(set) var foreign = Lines()
    /// Lines that were `unknown` and are `accepted` now.
    package private(set) var found = 0
    /// Lines that stay `unknown`.
    package private(set) var unknown = 0
    /// Look-ups made.
    package internal(set) var lookUps = 0
    /// Look-ups refused for coming too fast.
    package internal(set) var throttled = 0
    /// Why the last look-up that was given up told nothing.
    package internal(set) var failure: LookUpFailure?

    /// Counts a line that is due.
    mutating func count(_ inquiry: Inquiry, isAnswered: Bool) {
        let line = inquiry.line
        if inquiry.isFound { found += 1 } else if line.isUnknown { unknown += 1 }
        if case .sent = line.kind, let known = inquiry.record?.status ?? line.finalStatus {
            count(known)
            return
        }
        switch (line.kind, inquiry.record) {
        case (.foreign, _): foreign.note(line.number)
        case (.unsearchable, _): unsearchable.note(line.number)
        case (.unsent, _): unsent += 1
        case (.planned, _): planned += 1
        case (.sent, _?): waiting += 1
        case (.sent, nil):
            if isAnswered { notFound += 1 } else if inquiry.isRefused { refused += 1 } else { unanswered += 1 }
        }
    }

    private mutating func count(_ status: SendDetails.Status) {
        switch status {
        case .delivered: delivered += 1
        case .failed: failed += 1
        case .waiting: waiting += 1
        }
    }
}

/// Why a look-up told nothing.
package enum LookUpFailure: Sendable {
    /// The gateway refused it with a code.
    case code(String)
    /// It did not leave.
    case notSent(NotSentReason)
    /// It left, and no answer came that tells anything.
    case unanswered(Doubt)
}
