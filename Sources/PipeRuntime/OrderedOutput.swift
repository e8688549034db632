// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Writes response lines with blocking `write(2)` on a thread of its own, so that a reader who stalls blocks nobody else.
///
/// It holds one buffer at a time; the next one is made only when that is out, which is the back-pressure to the engine.
package final class OrderedOutput: Sendable {
    /// What became of a buffer.
    package enum Event: Sendable {
        /// It is out; its storage may be used again.
        case written([UInt8])
        /// Nobody reads the output any more.
        case closed
        /// Writing failed, with the system's error number.
        case failed(Int32)
    }

    private let descriptor: Int32
    private let pending = Mutex<[UInt8]?>(nil)
    private let wake = DispatchSemaphore(value: 0)
    private let report: @Sendable (Event) -> Void

    /// Creates an output; it writes once it runs.
    ///
    /// - Parameters:
    ///   - descriptor: Where to write.
    ///   - report: Takes one event for each buffer, on the writer's thread.
    package init(descriptor: Int32, report: @escaping @Sendable (Event) -> Void) {
        self.descriptor = descriptor
        self.report = report
    }

    /// Writes a buffer; the one before must have been reported, and an empty one ends the thread.
    package func write(_ buffer: [UInt8]) {
        pending.withLock { $0 = buffer }
        wake.signal()
    }

    /// Writes buffers until an empty one comes; for a thread of its own.
    package func run() {
        while true {
            wake.wait()
            let taken = pending.withLock { buffer in
                defer { buffer = nil }
                return buffer
            }
            guard let buffer = taken, !buffer.isEmpty else { return }
            report(writeAll(buffer))
        }
    }

    private func writeAll(_ buffer: [UInt8]) -> Event {
        var written = 0
        while written < buffer.count {
            let count = unsafe buffer.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno == EPIPE {
                return .closed
            } else if errno == EAGAIN {
                // Somebody made the terminal or pipe non-blocking; wait for room instead of spinning.
                var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&polled, 1, -1)
            } else if errno != EINTR {
                return .failed(errno)
            }
        }
        return .written(buffer)
    }
}
