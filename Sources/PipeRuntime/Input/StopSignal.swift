// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Ends a poll when reading is to stop: a pipe that becomes readable.
final class StopSignal: Sendable {
    /// What to poll; negative, which a poll passes over, where no pipe could be made.
    let descriptor: Int32
    private let writeEnd: Mutex<Int32>

    /// How long to poll before asking whether to stop, in milliseconds: for ever, as the pipe tells.
    var patience: Int32 { descriptor < 0 ? 100 : -1 }

    init() {
        var ends: [Int32] = [-1, -1]
        _ = unsafe pipe(&ends)
        for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        descriptor = ends[0]
        writeEnd = Mutex(ends[1])
    }

    deinit { close() }

    /// Makes the descriptor readable, unless it has been closed.
    func raise() {
        var byte: UInt8 = 0
        writeEnd.withLock { end in
            if end >= 0 { _ = unsafe write(end, &byte, 1) }
        }
    }

    /// Closes the pipe; it cannot be polled any more.
    func close() {
        writeEnd.withLock { end in
            guard end >= 0 else { return }
            _ = Glibc.close(end)
            _ = Glibc.close(descriptor)
            end = -1
        }
    }
}
