// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Where the process's signal handler writes the numbers of signals that arrive.
private let signalPipe: (read: Int32, write: Int32) = {
    var ends: [Int32] = [-1, -1]
    _ = unsafe pipe(&ends)
    for end in ends where end >= 0 {
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        // The handler must never wait.
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    return (ends[0], ends[1])
}()

/// Turns signals into calls, instead of into the end of the process.
///
/// None is lost from the moment on in which it is made; Dispatch's own sources lose what arrives before they are registered,
/// some time later. A process has one at a time.
package final class Signals: Sendable {
    private let numbers: [Int32]
    private let source: Mutex<(any DispatchSourceRead)?>

    /// Takes signals over.
    ///
    /// A HUP that the process was started to ignore stays ignored: that is what `nohup` is for.
    ///
    /// - Parameters:
    ///   - numbers: The signals.
    ///   - arrived: Called for each that arrives, one at a time.
    package init(_ numbers: [Int32], arrived: @escaping @Sendable (Int32) -> Void) {
        self.numbers = numbers.filter { $0 != SIGHUP || !Self.isIgnored($0) }
        guard signalPipe.read >= 0 else {
            // Then signals do what they do to any process.
            source = Mutex(nil)
            return
        }
        let source = DispatchSource.makeReadSource(
            fileDescriptor: signalPipe.read,
            queue: DispatchQueue(label: "signals"),
        )
        source.setEventHandler {
            var number: UInt8 = 0
            while unsafe read(signalPipe.read, &number, 1) == 1 { arrived(Int32(number)) }
        }
        source.resume()
        self.source = Mutex(source)
        for number in self.numbers {
            _ = signal(number) { number in
                let error = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = unsafe write(signalPipe.write, &byte, 1)
                errno = error
            }
        }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Ends the calls; the signals are ignored from now on.
    package func cancel() {
        for number in numbers { _ = signal(number, SIG_IGN) }
        source.withLock { source in
            source?.cancel()
            source = nil
        }
    }
}
