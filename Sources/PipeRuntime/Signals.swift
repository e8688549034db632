// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Turns signals into calls, instead of into the end of the process.
package final class Signals: Sendable {
    private let sources: Mutex<[any DispatchSourceSignal]>

    /// Blocks signals in this thread and all that it starts from now on; to be called before there are others.
    ///
    /// Dispatch reads signals from a descriptor, which works only for signals that no thread takes first: one that a thread
    /// with the signal unblocked receives is lost now and then.
    package static func block(_ numbers: [Int32]) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Whether the parent process has told to ignore a signal, as `nohup` does with HUP.
    package static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Starts to watch for signals: each that arrives after this is told.
    ///
    /// - Parameters:
    ///   - numbers: The signals.
    ///   - arrived: Called for each that arrives, one at a time.
    package init(_ numbers: [Int32], arrived: @escaping @Sendable (Int32) -> Void) {
        let queue = DispatchQueue(label: "signals")
        let registered = DispatchGroup()
        var sources: [any DispatchSourceSignal] = []
        for number in numbers {
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { arrived(number) }
            registered.enter()
            source.setRegistrationHandler { registered.leave() }
            source.resume()
            sources.append(source)
        }
        // Dispatch registers them on a thread of its own; until then a signal would end the process.
        registered.wait()
        self.sources = Mutex(sources)
    }

    /// Ends the calls.
    package func cancel() {
        sources.withLock { sources in
            for source in sources { source.cancel() }
            sources = []
        }
    }
}
