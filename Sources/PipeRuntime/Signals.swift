// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Turns signals into calls, instead of into the end of the process.
package final class Signals: Sendable {
    private let sources: Mutex<[any DispatchSourceSignal]>

    /// A HUP that the process was started to ignore stays ignored: that is what `nohup` is for.
    ///
    /// - Parameters:
    ///   - numbers: The signals.
    ///   - arrived: Called for each that arrives, one at a time.
    package init(_ numbers: [Int32], arrived: @escaping @Sendable (Int32) -> Void) {
        let queue = DispatchQueue(label: "signals")
        var sources: [any DispatchSourceSignal] = []
        for number in numbers where number != SIGHUP || !Self.isIgnored(number) {
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { arrived(number) }
            source.resume()
            sources.append(source)
        }
        self.sources = Mutex(sources)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Ends the calls.
    package func cancel() {
        sources.withLock { sources in
            for source in sources { source.cancel() }
            sources = []
        }
    }
}
