// SPDX-License-Identifier: Apache-2.0

import Glibc
import PipeRuntime
import Testing

struct SignalsTests {
    /// Two close together mean something else than one: a second TERM ends a run at once.
    @Test func `tells each signal, however close together they come`() async {
        let (arrivals, continuation) = AsyncStream<Int32>.makeStream()
        Signals.watch([SIGUSR2]) { continuation.yield($0) }
        // `raise` returns when the handler has run.
        for _ in 0..<1_000 { raise(SIGUSR2) }
        var count = 0
        for await number in arrivals {
            #expect(number == SIGUSR2)
            count += 1
            if count == 1_000 { break }
        }
    }
}
