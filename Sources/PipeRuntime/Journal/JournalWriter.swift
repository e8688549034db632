// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Appends records to the journal on a thread of its own.
///
/// It takes one group at a time; what comes up while that is synced goes with the next.
final class JournalWriter: Sendable {
    private struct State {
        var file: JournalFile
        var group: [UInt8]?
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
    /// An empty one ends the thread.
    func append(_ group: [UInt8]) {
        state.withLock { $0.group = group }
        wake.signal()
    }

    /// Appends groups until an empty one comes; for a thread of its own.
    func run() {
        while true {
            wake.wait()
            let failure: StorageError?? = state.withLock { state in
                guard let group = state.group, !group.isEmpty else { return nil }
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
