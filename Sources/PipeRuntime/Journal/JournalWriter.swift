// SPDX-License-Identifier: Apache-2.0

import Dispatch
import MessagePipe
import Synchronization

/// Appends records to the journal on a thread of its own.
///
/// It takes one group at a time; what comes up while that is synced goes with the next.
final class JournalWriter: Sendable {
    private struct State {
        var file: JournalFile
        var group: JournalGroup?
    }

    private let state: Mutex<State>
    private let wake = DispatchSemaphore(value: 0)
    private let report: @Sendable (StorageError?) -> Void

    /// - Parameters:
    ///   - file: The journal.
    ///   - report: Takes one report for each group, on the writer's thread: `nil` once it is on stable storage.
    init(_ file: JournalFile, report: @escaping @Sendable (StorageError?) -> Void) {
        state = Mutex(State(file: file))
        self.report = report
    }

    /// Appends a group, once the one before has been reported.
    ///
    /// - Parameter group: The group; `nil` ends the thread.
    func append(_ group: JournalGroup?) {
        state.withLock { $0.group = group }
        wake.signal()
    }

    /// Makes text of groups and appends them until there are no more; for a thread of its own.
    func run() {
        while true {
            wake.wait()
            let failure: StorageError?? = state.withLock { state in
                guard let group = state.group else { return nil }
                state.group = nil
                do throws(StorageError) {
                    try state.file.append(group)
                    return .some(nil)
                } catch {
                    return .some(error)
                }
            }
            guard let failure else { return }
            report(failure)
        }
    }
}
