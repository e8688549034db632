// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import PipeRuntime

/// What is said about a journal that cannot be used, and the status that the process ends with.
struct JournalFailure {
    let status: ExitStatus
    let text: String

    init(_ error: JournalError, path: String) {
        switch error {
        case .cannotOpen(let failure):
            status = .cannotCreate
            text = "cannot open the journal \(path): \(failure); check the path and its permissions."
        case .inUse(let holder):
            status = .cannotCreate
            let process = holder == 0 ? "another process" : "process \(holder)"
            text = "the journal \(path) is in use by \(process); wait for its end, or give another journal."
        case .notAJournal:
            status = .cannotCreate
            text = "\(path) is not a journal of smspipe; it was left as it is. Give another file for --journal."
        case .otherVersion(let version):
            status = .cannotCreate
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
                the journal \(path): \(damage); nothing was sent. What is behind that record cannot be trusted: \
                restore the file from a copy.
                """
        case .failed(let failure):
            status = .ioError
            text = "the journal \(path): \(failure); nothing was sent. Make room or mend it, then run again."
        }
    }
}
