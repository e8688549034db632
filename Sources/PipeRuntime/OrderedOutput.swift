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
        /// It is out, so many bytes; its storage is to be had by ``takeSpare()``.
        case written(Int)
        /// Nobody reads the output any more.
        case closed
        /// Writing failed, with the system's error number.
        case failed(Int32)
    }

    private let descriptor: Int32
    private struct State {
        /// The buffer that is to be written; the thread ends where it finds none.
        var pending: [UInt8] = []
        /// The emptied buffer that was written last.
        var spare: [UInt8] = []
    }

    private let state = Mutex(State())
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

    /// Writes a buffer; the one before must have been reported.
    ///
    /// - Parameter buffer: Left empty: the bytes change hands, since storage that two know of could not be used again.
    package func write(_ buffer: inout [UInt8]) {
        state.withLock { swap(&$0.pending, &buffer) }
        wake.signal()
    }

    /// Ends the thread; the last buffer must have been reported.
    package func end() { wake.signal() }

    /// The emptied buffer that was written last, for its storage.
    package func takeSpare() -> [UInt8] {
        state.withLock { state in
            var buffer: [UInt8] = []
            swap(&buffer, &state.spare)
            return buffer
        }
    }

    /// Writes buffers until ``end()`` is called; for a thread of its own.
    package func run() {
        while true {
            wake.wait()
            var buffer: [UInt8] = []
            state.withLock { swap(&$0.pending, &buffer) }
            guard !buffer.isEmpty else { return }
            let event = writeAll(buffer)
            buffer.removeAll(keepingCapacity: true)
            state.withLock { swap(&$0.spare, &buffer) }
            report(event)
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
        return .written(written)
    }
}
