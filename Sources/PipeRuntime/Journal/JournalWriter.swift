// SPDX-License-Identifier: Apache-2.0

import Dispatch
import MessagePipe
import Synchronization

/// Appends records to the journal on a thread of its own.
///
/// It takes one group at a time; what comes up while that is synced goes with the next.
final class JournalWriter: Sendable {
    private let next = Mutex<JournalGroup?>(nil)
    private let wake = DispatchSemaphore(value: 0)
    private let report: @Sendable (StorageError?) -> Void

    /// - Parameter report: Takes one report for each group, on the writer's thread: `nil` once it is on stable storage.
    init(report: @escaping @Sendable (StorageError?) -> Void) {
        self.report = report
    }

    /// Appends a group, once the one before has been reported.
    ///
    /// - Parameter group: The group; `nil` ends the thread.
    func append(_ group: JournalGroup?) {
        next.withLock { $0 = group }
        wake.signal()
    }

    /// Makes text of groups and appends them until there are no more; for a thread of its own.
    ///
    /// - Parameter file: The journal.
    func run(_ file: JournalFile) {
        var file = file
        while true {
            wake.wait()
            guard let group = next.withLock({ $0.take() }) else { return }
            do throws(StorageError) {
                try file.append(group)
                report(nil)
            } catch {
                report(error)
            }
        }
    }
}
