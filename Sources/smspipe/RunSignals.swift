// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import PipeRuntime
import Synchronization

/// What signals mean to a run: TERM, INT and HUP end it, a second one at once; USR1 sends what is batched.
///
/// They are watched before there is a run, so that none ends the process in the middle of one; what comes between waits for it.
final class RunSignals: Sendable {
    private let begun = Mutex<(act: (@Sendable (Int32) -> Void)?, early: [Int32])>((nil, []))
    private let isEnding = Atomic(false)
    /// A terminal may be stopped, so summaries are written on a queue of their own: the run does not wait for them.
    private let queue = DispatchQueue(label: "summary")
    private let written = DispatchGroup()
    /// The summaries that are to be written, the newest of those that wait for another.
    private let waiting = Mutex<(isWriting: Bool, line: String?)>((false, nil))

    init() {
        // Under nohup the run goes on when the terminal is closed.
        let numbers = [SIGTERM, SIGINT, SIGHUP, SIGUSR1].filter { $0 != SIGHUP || !Signals.isIgnored(SIGHUP) }
        Signals.watch(numbers) { [self] in arrived($0) }
    }

    /// Has the run act on what has come and what will come.
    func begin(_ act: @escaping @Sendable (Int32) -> Void) {
        begun.withLock { begun in
            begun.act = act
            for number in begun.early { act(number) }
        }
    }

    /// Lets summaries that were asked for be written, if somebody reads them.
    func end() {
        _ = written.wait(timeout: .now() + .milliseconds(200))
    }

    /// Writes a summary on standard error when that takes it.
    func write(_ line: String) {
        let isFree = waiting.withLock { waiting in
            waiting.line = line
            defer { waiting.isWriting = true }
            return !waiting.isWriting
        }
        guard isFree else { return }
        queue.async(group: written) { [self] in
            while let line = next() { writeToStandardError(line + "\n") }
        }
    }

    private func next() -> String? {
        waiting.withLock { waiting in
            defer { waiting.line = nil }
            waiting.isWriting = waiting.line != nil
            return waiting.line
        }
    }

    private func arrived(_ number: Int32) {
        if number != SIGUSR1, isEnding.exchange(true, ordering: .relaxed) { _exit(128 + number) }
        begun.withLock { begun in
            if let act = begun.act { act(number) } else { begun.early.append(number) }
        }
    }
}
