// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import PipeRuntime

/// What is said about a journal that cannot be used, and the status that the process ends with.
struct JournalFailure {
    /// Who wanted it.
    enum User {
        /// A run, which begins a journal where there is none, and has sent nothing when it ends here.
        case run
        /// The command that says what a journal knows.
        case command
    }

    let status: ExitStatus
    let text: String

    init(_ error: JournalError, path: String, for user: User) {
        let isRun = user == .run
        switch error {
        case .cannotOpen(let failure):
            status = isRun ? .cannotCreate : .noInput
            text = "cannot open the journal \(path): \(failure); check the path and its permissions."
        case .inUse(let holder):
            status = .cannotCreate
            let process = holder == 0 ? "another process" : "process \(holder)"
            text = """
                the journal \(path) is in use by \(process); wait for its end\(isRun ? ", or give another journal" : "").
                """
        case .notAJournal:
            status = isRun ? .cannotCreate : .noInput
            let remedy = isRun ? "Give another file for --journal." : "Give the file that a run has got with --journal."
            text = "\(path) is not a journal of smspipe; it was left as it is. \(remedy)"
        case .otherVersion(let version):
            status = isRun ? .cannotCreate : .noInput
            text = """
                the journal \(path) has version \(version) of the format, and this smspipe knows version \(JournalHead.currentVersion); use the one \
                that wrote it.
                """
        case .otherAccessKey:
            status = .cannotCreate
            text = "the journal \(path) belongs to another access key; use that key, or give another journal."
        case .otherEndpoint(let endpoint):
            status = .cannotCreate
            text = "the journal \(path) belongs to messages for \(endpoint); send there, or give another journal."
        case .damaged(let damage):
            status = .ioError
            text = """
                the journal \(path): \(damage)\(isRun ? "; nothing was sent" : ""). What is behind that record cannot be trusted: \
                restore the file from a copy.
                """
        case .failed(let failure):
            status = .ioError
            text = """
                the journal \(path): \(failure)\(isRun ? "; nothing was sent" : ""). Make room or mend it, then run again.
                """
        }
    }
}
