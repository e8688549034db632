// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import PipeRuntime
import Synchronization

/// What signals mean to a run: TERM, INT and HUP end it, a second one at once; USR1 sends what is batched.
///
/// They are watched before there is a run, so that none ends the process in the middle of one; what comes early waits for it.
final class RunSignals: Sendable {
    private let begun = Mutex<(run: Pipe.Run?, early: [Int32])>((nil, []))
    private let isEnding = Atomic(false)
    /// A terminal may be stopped, so summaries are written on a queue of their own: nothing waits for them.
    private let queue = DispatchQueue(label: "summary")
    private let isWriting = Atomic(false)

    init() {
        // Under nohup the run goes on when the terminal is closed.
        let numbers = [SIGTERM, SIGINT, SIGHUP, SIGUSR1].filter { $0 != SIGHUP || !Signals.isIgnored(SIGHUP) }
        Signals.watch(numbers) { [self] in arrived($0) }
    }

    /// Tells the run what has come and what will come.
    func begin(_ run: Pipe.Run) {
        begun.withLock { begun in
            begun.run = run
            for number in begun.early { tell(run, number) }
        }
    }

    private func arrived(_ number: Int32) {
        if number != SIGUSR1, isEnding.exchange(true, ordering: .relaxed) { _exit(128 + number) }
        begun.withLock { begun in
            if let run = begun.run { tell(run, number) } else { begun.early.append(number) }
        }
    }

    private func tell(_ run: Pipe.Run, _ number: Int32) {
        if number == SIGUSR1 {
            run.flush()
            run.report { [self] progress in
                // Who does not read the last one needs no other.
                guard !isWriting.exchange(true, ordering: .relaxed) else { return }
                queue.async { [self] in
                    writeToStandardError(Summary(progress).line + "\n")
                    isWriting.store(false, ordering: .relaxed)
                }
            }
        } else {
            run.end(bySignal: number)
        }
    }
}
