// SPDX-License-Identifier: Apache-2.0

/// Why a run stopped sending before its input ended.
package enum StopReason: Equatable, Sendable {
    /// The gateway refused the credentials.
    case credentials(Answer)
    /// The account cannot send.
    case account(Answer)
    /// The gateway was never reached.
    case unreachable(NotSentReason)
    /// A signal asked for the end.
    case signal(Int32)
    /// Nobody reads the output any more.
    case outputClosed
    /// Writing the output failed.
    case outputFailed(String)
    /// Writing or syncing the journal failed.
    case journalFailed(String)

    /// Whether messages that were batched before the stop are still sent.
    var sendsWhatIsBatched: Bool {
        if case .signal = self { true } else { false }
    }

    /// Whether another reason differs in its details only.
    func isSameKind(as other: StopReason) -> Bool {
        switch (self, other) {
        case (.credentials, .credentials), (.account, .account), (.unreachable, .unreachable), (.signal, .signal),
            (.outputClosed, .outputClosed), (.outputFailed, .outputFailed), (.journalFailed, .journalFailed):
            true
        default: false
        }
    }

    /// What messages are answered that were not sent because of it.
    var response: Response {
        switch self {
        case .credentials(let answer), .account(let answer):
            Response(.skipped, code: answer.code, message: answer.message)
        case .unreachable(let reason):
            Response(.skipped, code: "smspipe.UNREACHABLE", message: "Never sent: \(reason.text).")
        case .signal:
            Response(.skipped, code: "smspipe.STOPPED", message: "Never sent: the run was ended by a signal.")
        case .outputClosed:
            Response(.skipped, code: "smspipe.STOPPED", message: "Never sent: the output was closed.")
        case .outputFailed:
            Response(.skipped, code: "smspipe.STOPPED", message: "Never sent: the output could not be written.")
        case .journalFailed:
            Response(.skipped, code: "smspipe.STOPPED", message: "Never sent: the journal failed.")
        }
    }
}
