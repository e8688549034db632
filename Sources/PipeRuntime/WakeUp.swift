// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import NIOCore

/// Calls a run when something becomes due; belongs to the run's event loop.
final class WakeUp {
    /// How long the event loop sleeps at most while something is to become due: the machine may have slept meanwhile.
    private static let longestWait = Duration.seconds(1)

    private let eventLoop: any EventLoop
    private var timer: (scheduled: Scheduled<Void>, at: Instant)?
    private var isSoonPlanned = false

    /// - Parameter eventLoop: The run's.
    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Sees that a function is called at a time, or somewhat earlier: it is to ask anew then what is due.
    ///
    /// A call that is planned already, for that time or before, is left as it is.
    func plan(_ deadline: Instant, _ call: @escaping () -> Void) {
        if let timer, timer.at <= deadline { return }
        timer?.scheduled.cancel()
        // The event loop's clock stands still while the machine sleeps: it knows waits, but not our times.
        let wait = TimeAmount(min(max(Clock.now.duration(to: deadline), .zero), Self.longestWait))
        let scheduled = eventLoop.assumeIsolated().scheduleTask(in: wait) { [self] in
            timer = nil
            call()
        }
        timer = (scheduled, deadline)
    }

    /// Calls a function once all that has come in on the connections is taken in.
    ///
    /// Answers that arrive together then share a write and its hop to the writer's thread, and their connections the next
    /// requests.
    func planSoon(_ call: @escaping () -> Void) {
        guard !isSoonPlanned else { return }
        isSoonPlanned = true
        eventLoop.assumeIsolated().execute { [self] in
            isSoonPlanned = false
            call()
        }
    }

    /// Calls nobody any more at a time.
    func cancel() { timer?.scheduled.cancel() }
}
