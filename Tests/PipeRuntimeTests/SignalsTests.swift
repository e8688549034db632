// SPDX-License-Identifier: Apache-2.0

import Glibc
import PipeRuntime
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SignalsTests {
    @Test func `tells each signal instead of ending the process`() async {
        await #expect(processExitsWith: .success) {
            let (arrivals, continuation) = AsyncStream.makeStream(of: Int32.self)
            let signals = Signals([SIGTERM, SIGHUP]) { continuation.yield($0) }
            var next = arrivals.makeAsyncIterator()
            for number in [SIGTERM, SIGHUP, SIGTERM] {
                kill(getpid(), number)
                guard await next.next() == number else { fatalError("another signal") }
            }
            signals.cancel()
        }
    }

    @Test func `leaves a hang-up ignored that the process was started to ignore`() async {
        await #expect(processExitsWith: .success) {
            _ = signal(SIGHUP, SIG_IGN)
            let (arrivals, continuation) = AsyncStream.makeStream(of: Int32.self)
            let signals = Signals([SIGTERM, SIGHUP]) { continuation.yield($0) }
            var next = arrivals.makeAsyncIterator()
            for _ in 0..<10 {
                kill(getpid(), SIGHUP)
                kill(getpid(), SIGTERM)
                guard await next.next() == SIGTERM else { fatalError("not ignored") }
            }
            signals.cancel()
        }
    }
}
