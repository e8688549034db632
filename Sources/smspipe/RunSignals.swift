// SPDX-License-Identifier: Apache-2.0

import Glibc
import PipeRuntime
import Synchronization

/// What signals mean to a run: TERM, INT and HUP end it, a second one at once; USR1 sends what is batched.
final class RunSignals: Sendable {
    private let signals: Signals

    init(_ run: Pipe.Run) {
        let progress = Progress()
        // Under nohup the run goes on when the terminal is closed.
        let numbers = [SIGTERM, SIGINT, SIGHUP, SIGUSR1].filter { $0 != SIGHUP || !Signals.isIgnored(SIGHUP) }
        signals = Signals(numbers) { number in
            if number == SIGUSR1 {
                run.flush()
                run.report { writeToStandardError(Summary($0).line + "\n") }
            } else if progress.isEnding.exchange(true, ordering: .relaxed) {
                _exit(128 + number)
            } else {
                run.end(bySignal: number)
            }
        }
    }

    func cancel() {
        signals.cancel()
    }

    private final class Progress: Sendable {
        let isEnding = Atomic(false)
    }
}
