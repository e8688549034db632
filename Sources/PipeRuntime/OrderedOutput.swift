// SPDX-License-Identifier: Apache-2.0

import DequeModule
import Dispatch
import Glibc
import Synchronization

/// Writes response lines with blocking `write(2)` on a thread of its own, so that a reader who stalls blocks nobody else.
///
/// It holds few buffers at a time, one that is written and one that follows without a hop between threads; the next is made
/// only when one of them is out, which is the back-pressure to the engine.
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

    /// How often it is looked whether somebody reads, while there is nothing to write, in milliseconds.
    private static let watchInterval = 100

    /// How many buffers may be with the output, not reported yet.
    package static let maximumUnreported = 2

    /// What is wrong with the output before anything is written: nothing is to be sent for a reader that is gone already.
    package let failureAtStart: Event?

    private let descriptor: Int32
    private struct State {
        /// The buffers that are to be written; the thread ends where it finds none.
        var pending: Deque<[UInt8]> = []
        /// The emptied buffers of those that were written.
        var spare: [[UInt8]] = []
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let report: @Sendable (_ event: Event, _ isOfBuffer: Bool) -> Void

    /// Creates an output; it writes once it runs.
    ///
    /// - Parameters:
    ///   - descriptor: Where to write.
    ///   - report: Takes one event for each buffer, on the writer's thread; and maybe one that is of no buffer, when it is seen
    ///     that none could be written.
    package init(descriptor: Int32, report: @escaping @Sendable (_ event: Event, _ isOfBuffer: Bool) -> Void) {
        self.descriptor = descriptor
        self.report = report
        failureAtStart = fcntl(descriptor, F_GETFL) & O_ACCMODE == O_RDONLY ? .failed(EBADF) : Self.hangUp(descriptor)
    }

    /// Writes a buffer after those before it; fewer than ``maximumUnreported`` of these may be unreported.
    ///
    /// - Parameter buffer: Left empty: the bytes change hands, since storage that two know of could not be used again.
    package func write(_ buffer: inout [UInt8]) {
        state.withLock { state in
            state.pending.append([])
            swap(&state.pending[state.pending.count - 1], &buffer)
        }
        wake.signal()
    }

    /// Ends the thread; the last buffer must have been reported.
    package func end() { wake.signal() }

    /// An emptied buffer of one that was written, for its storage.
    package func takeSpare() -> [UInt8] {
        state.withLock { $0.spare.popLast() ?? [] }
    }

    /// Writes buffers until ``end()`` is called; for a thread of its own.
    package func run() {
        // What ended the writing. A buffer that follows is not written, though there may be room or a reader again: its lines
        // would stand behind half a line, with others missing in between.
        var failure = failureAtStart
        while true {
            while wake.wait(timeout: .now() + .milliseconds(Self.watchInterval)) == .timedOut {
                guard failure == nil, let hangUp = Self.hangUp(descriptor) else { continue }
                failure = hangUp
                report(hangUp, false)
            }
            guard var buffer = state.withLock({ $0.pending.popFirst() }) else { return }
            let event = failure ?? writeAll(buffer)
            if case .written = event {} else { failure = event }
            buffer.removeAll(keepingCapacity: true)
            state.withLock { $0.spare.append(buffer) }
            report(event, true)
        }
    }

    /// What a write would find if nobody reads any more, or the output is none; `nil` if nothing is wrong.
    private static func hangUp(_ descriptor: Int32) -> Event? {
        var polled = pollfd(fd: descriptor, events: 0, revents: 0)
        guard unsafe poll(&polled, 1, 0) > 0 else { return nil }
        if polled.revents & Int16(POLLNVAL) != 0 { return .failed(EBADF) }
        return polled.revents & Int16(POLLERR | POLLHUP) != 0 ? .closed : nil
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
