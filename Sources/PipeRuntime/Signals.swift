// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Turns signals into calls, instead of into the end of the process.
///
/// A handler writes each into a pipe, which a thread reads. Dispatch's own sources read signals from a descriptor that has
/// only those which every thread blocks; but the main thread of an asynchronous program waits with none blocked and takes,
/// and thereby loses, one now and then.
package enum Signals {
    /// Holds signals back from this thread and all that it starts, until they are watched.
    package static func block(_ numbers: [Int32]) {
        mask(SIG_BLOCK, numbers)
    }

    /// Whether the parent process has told to ignore a signal, as `nohup` does with HUP.
    package static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Watches for signals until the process ends; to be called once.
    ///
    /// - Parameters:
    ///   - numbers: The signals.
    ///   - arrived: Called for each that arrives, one at a time, on a thread of its own; the system merges those that come
    ///     before the process gets to run.
    package static func watch(_ numbers: [Int32], arrived: @escaping @Sendable (Int32) -> Void) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { preconditionFailure("no pipe for signals: \(systemErrorText(errno))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler must not wait, come what may.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        writeEnd.store(ends[1], ordering: .releasing)
        let readEnd = ends[0]
        DispatchQueue(label: "signals").async {
            var number: UInt8 = 0
            while true {
                let count = unsafe read(readEnd, &number, 1)
                if count == 1 { arrived(Int32(number)) } else if count == 0 || errno != EINTR { return }
            }
        }
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { noteSignal($0) }
        action.sa_flags = SA_RESTART
        unsafe sigfillset(&action.sa_mask)
        for number in numbers { _ = unsafe sigaction(number, &action, nil) }
        mask(SIG_UNBLOCK, numbers)
    }

    private static func mask(_ how: Int32, _ numbers: [Int32]) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(how, &set, nil)
    }
}

/// Where the handler writes; set before there is a handler, so that this runs no initialiser.
private let writeEnd = Atomic<Int32>(-1)

/// The handler: does nothing but what POSIX allows one to do.
private func noteSignal(_ signal: Int32) {
    let errorNumber = errno
    var number = UInt8(truncatingIfNeeded: signal)
    _ = unsafe write(writeEnd.load(ordering: .acquiring), &number, 1)
    errno = errorNumber
}
