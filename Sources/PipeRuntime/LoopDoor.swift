// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

/// The way onto an event loop from other threads, closed before the loop ends.
///
/// What comes late, a signal or the reader's last word, is dropped; the loop would complain about it on standard error.
package final class LoopDoor: Sendable {
    let eventLoop: any EventLoop
    private let isOpen = Mutex(true)

    /// Creates an open door.
    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Has the loop do something, unless the door is closed.
    func execute(_ task: @escaping @Sendable () -> Void) {
        isOpen.withLock { if $0 { eventLoop.execute(task) } }
    }

    /// Lets nothing in any more.
    func close() {
        isOpen.withLock { $0 = false }
    }
}
