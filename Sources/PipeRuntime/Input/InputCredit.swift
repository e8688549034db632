// SPDX-License-Identifier: Apache-2.0

import Dispatch
package import MessagePipe
import Synchronization

/// How much the reader may still read: given by the event loop as messages are answered, taken by the reader's thread.
///
/// The reader goes on while the event loop is busy, and waits when the window is full.
package final class InputCredit: Sendable {
    private struct State {
        var messages: Int
        var bytes: Int
        /// How many messages are kept for a reader that wants more than is left: it takes a chunk whole rather than in the
        /// pieces that are given back.
        var reserve: Int
        /// How many emptied chunks are kept: a few, as a reader that is fast takes one as soon as it is there; for a large window,
        /// which is given back in large parts, half of it in chunks of some six hundred messages.
        var maximumSpare: Int
        /// How many bytes are on their way to the event loop.
        var bytesUnderWay = 0
        /// Whether nothing is to be read though there is credit.
        var isPaused = false
        var isWaiting = false
        var isStopped = false
        /// Emptied chunks for the reader to fill.
        var spare: [Chunk] = []

        init(_ window: Window) {
            messages = window.messages - window.reserve
            bytes = window.bytes
            reserve = window.reserve
            maximumSpare = window.messages < 50_000 ? 4 : min(window.messages / 1250, 256)
        }

        /// Whether something may be read now.
        var hasCredit: Bool { messages > 0 && bytes > 0 && !isPaused && bytesUnderWay < InputCredit.maximumUnderWay }

        /// Whether a waiting reader can go on; it does not wait any more then.
        mutating func endsWait() -> Bool {
            guard isWaiting, hasCredit || isStopped else { return false }
            isWaiting = false
            return true
        }
    }

    /// How much may be on its way to the event loop, in bytes: while that is busy or waits for the processor, more would only
    /// lie there.
    package static let maximumUnderWay = 256 << 10

    private let state: Mutex<State>
    private let wake = DispatchSemaphore(value: 0)

    /// Creates credit for a window; its bytes are passed by at most one block.
    package init(_ window: Window) {
        state = Mutex(State(window))
    }

    /// Gives credit for a window that is wider now, or takes it for one that is narrower: then there may be less than none for a while.
    package func resize(from window: Window, to other: Window) {
        let isWaited = state.withLock { state in
            let (old, new) = (State(window), State(other))
            state.messages += new.messages - old.messages
            state.bytes += new.bytes - old.bytes
            (state.reserve, state.maximumSpare) = (new.reserve, new.maximumSpare)
            return state.endsWait()
        }
        if isWaited { wake.signal() }
    }

    /// Takes credit for messages, waiting until there is some.
    ///
    /// - Parameter wanted: How many messages are there to be parsed.
    /// - Returns: For how many there is credit, at least one; `nil` once reading is to stop.
    package func take(upTo wanted: Int) -> Int? {
        while true {
            let taken: Int?? = state.withLock { state in
                if state.isStopped { return .some(nil) }
                guard state.hasCredit else {
                    state.isWaiting = true
                    return nil
                }
                let taken = min(wanted, state.messages + state.reserve)
                state.messages -= taken
                return taken
            }
            if let taken { return taken }
            wake.wait()
        }
    }

    /// Takes credit for bytes that are held from now on, and on their way to the event loop; the next messages wait if there is
    /// none left.
    package func take(bytes: Int) {
        state.withLock { state in
            state.bytes -= bytes
            state.bytesUnderWay += bytes
        }
    }

    /// Notes that bytes have come to the event loop.
    package func arrived(bytes: Int) {
        let isWaited = state.withLock { state in
            state.bytesUnderWay -= bytes
            return state.endsWait()
        }
        if isWaited { wake.signal() }
    }

    /// Gives back credit for what has been answered.
    package func give(messages: Int, bytes: Int) {
        let isWaited = state.withLock { state in
            state.messages += messages
            state.bytes += bytes
            return state.endsWait()
        }
        if isWaited { wake.signal() }
    }

    /// Has the reader wait, or go on, whatever credit there is.
    package func pause(_ isPaused: Bool) {
        let isWaited = state.withLock { state in
            state.isPaused = isPaused
            return state.endsWait()
        }
        if isWaited { wake.signal() }
    }

    /// Gives the reader an emptied chunk, to use its storage; dropped where enough are waiting.
    package func give(_ spare: Chunk) {
        state.withLock { state in
            if state.spare.count < state.maximumSpare { state.spare.append(spare) }
        }
    }

    /// An emptied chunk, if there is one whose storage would be filled by half at least.
    ///
    /// So a slow input, whose every line becomes a chunk, keeps no large one for each.
    package func takeSpare(for byteCount: Int) -> Chunk? {
        state.withLock { state in
            state.spare.lastIndex { $0.byteCapacity <= 2 * byteCount }.map { state.spare.remove(at: $0) }
        }
    }

    /// Ends reading: nothing is taken any more.
    package func stop() {
        let isWaited = state.withLock { state in
            state.isStopped = true
            return state.endsWait()
        }
        if isWaited { wake.signal() }
    }

    /// Whether reading has been ended.
    package var isStopped: Bool { state.withLock { $0.isStopped } }
}
