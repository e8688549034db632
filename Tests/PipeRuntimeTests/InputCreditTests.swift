// SPDX-License-Identifier: Apache-2.0

import Dispatch
import PipeRuntime
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InputCreditTests {
    @Test func `gives no more than there is`() {
        let credit = InputCredit(messages: 5, bytes: 100)
        #expect(credit.take(upTo: 3) == 3)
        #expect(credit.take(upTo: 3) == 2)
        credit.give(messages: 1, bytes: 0)
        #expect(credit.take(upTo: 3) == 1)
    }

    @Test func `waits for messages until some are given back`() async {
        let credit = InputCredit(messages: 1, bytes: 100)
        #expect(credit.take(upTo: 1) == 1)
        async let taken = onThread { credit.take(upTo: 7) }
        credit.give(messages: 4, bytes: 0)
        #expect(await taken == 4)
    }

    @Test func `waits for bytes until some are given back`() async {
        let credit = InputCredit(messages: 10, bytes: 100)
        #expect(credit.take(upTo: 1) == 1)
        credit.take(bytes: 150)
        async let taken = onThread { credit.take(upTo: 7) }
        credit.give(messages: 0, bytes: 49)
        credit.give(messages: 0, bytes: 2)
        #expect(await taken == 7)
    }

    @Test func `gives every piece of credit once, whoever comes first`() async {
        let credit = InputCredit(messages: 3, bytes: 1)
        async let taken = onThread {
            var sum = 0
            while sum < 10_000 { sum += credit.take(upTo: 3) ?? 0 }
            return sum
        }
        for _ in 0..<9_997 { credit.give(messages: 1, bytes: 0) }
        #expect(await taken == 10_000)
        credit.give(messages: 2, bytes: 0)
        #expect(credit.take(upTo: 9) == 2)
    }

    @Test func `gives nothing once it is stopped`() async {
        let credit = InputCredit(messages: 0, bytes: 100)
        async let taken = onThread { credit.take(upTo: 7) }
        credit.stop()
        #expect(await taken == nil)
        credit.give(messages: 4, bytes: 0)
        #expect(credit.take(upTo: 1) == nil)
        #expect(credit.isStopped)
    }
}
