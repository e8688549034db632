// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// Runs an engine on an event loop: what other threads may want of it.
package protocol RunDriver: AnyObject, SendableMetatype {
    /// What tells how far a run is.
    associatedtype Progress: Sendable
    /// What tells how it has ended.
    associatedtype Ending

    /// How far the run is.
    var progress: Progress { get }

    /// How the run has ended; `nil` while it lasts.
    var result: Ending? { get }

    /// Begins the end that a signal asks for.
    func signalArrived(_ signal: Int32)
}

extension RunDriver {
    /// Runs to the end, on this thread.
    ///
    /// One event loop serves all connections: hops between threads cost more than the work itself.
    ///
    /// - Parameters:
    ///   - began: Gets the run once it is under way.
    ///   - start: Makes the driver and starts it.
    /// - Returns: How it ended.
    static func run(
        began: (Run<Self>) -> Void,
        start: (_ eventLoop: any EventLoop, _ door: LoopDoor) -> Self,
    ) -> Ending {
        var driver: Self?
        withoutActuallyEscaping(began) { began in
            withoutActuallyEscaping(start) { start in
                MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { eventLoop in
                    let door = LoopDoor(eventLoop)
                    let started = start(eventLoop, door)
                    driver = started
                    began(Run(started, on: eventLoop, door))
                }
            }
        }
        guard let result = driver?.result else { preconditionFailure("the event loop has ended before the run") }
        return result
    }
}

/// A run that is under way, for other threads.
package struct Run<Driver: RunDriver>: Sendable {
    private let driver: NIOLoopBound<Driver>
    private let eventLoop: any EventLoop
    private let door: LoopDoor

    /// Creates the way to a run, on its event loop.
    init(_ driver: Driver, on eventLoop: any EventLoop, _ door: LoopDoor) {
        self.driver = NIOLoopBound(driver, eventLoop: eventLoop)
        self.eventLoop = eventLoop
        self.door = door
    }

    /// Does something with the run, on its own thread, unless it has ended.
    func execute(_ body: @escaping @Sendable (Driver) -> Void) {
        door.execute { [driver] in body(driver.value) }
    }

    /// Tells the run that a signal asks for its end; a second one is the caller's to act on.
    package func end(bySignal signal: Int32) {
        execute { $0.signalArrived(signal) }
    }

    /// Tells how far the run is, on the run's own thread.
    package func report(_ tell: @escaping @Sendable (Driver.Progress) -> Void) {
        execute { tell($0.progress) }
    }

    /// Tells how far the run is again and again while it lasts, on the run's own thread.
    package func report(every interval: Duration, _ tell: @escaping @Sendable (Driver.Progress) -> Void) {
        let delay = TimeAmount(interval)
        eventLoop.scheduleRepeatedTask(initialDelay: delay, delay: delay) { [driver] _ in tell(driver.value.progress) }
    }
}
