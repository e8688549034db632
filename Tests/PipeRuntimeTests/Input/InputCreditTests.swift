// SPDX-License-Identifier: Apache-2.0

import Dispatch
import MessagePipe
import PipeRuntime
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InputCreditTests {
    @Test func `gives no more than there is`() {
        let credit = InputCredit(Window(messages: 5, bytes: 100))
        #expect(credit.take(upTo: 3) == 3)
        #expect(credit.take(upTo: 3) == 2)
        credit.give(messages: 1, bytes: 0)
        #expect(credit.take(upTo: 3) == 1)
    }

    @Test func `waits for messages until some are given back`() async {
        let credit = InputCredit(Window(messages: 1, bytes: 100))
        #expect(credit.take(upTo: 1) == 1)
        async let taken = onThread { credit.take(upTo: 7) }
        credit.give(messages: 4, bytes: 0)
        #expect(await taken == 4)
    }

    @Test func `waits for bytes until some are given back`() async {
        let credit = InputCredit(Window(messages: 10, bytes: 100))
        #expect(credit.take(upTo: 1) == 1)
        credit.take(bytes: 150)
        async let taken = onThread { credit.take(upTo: 7) }
        credit.give(messages: 0, bytes: 49)
        credit.give(messages: 0, bytes: 2)
        #expect(await taken == 7)
    }

    @Test func `gives every piece of credit once, whoever comes first`() async {
        let credit = InputCredit(Window(messages: 3, bytes: 1))
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

    @Test func `waits while reading is paused`() async {
        let credit = InputCredit(Window(messages: 5, bytes: 100))
        credit.pause(true)
        async let taken = onThread { credit.take(upTo: 3) }
        credit.give(messages: 1, bytes: 0)
        credit.pause(false)
        #expect(await taken == 3)
    }

    @Test func `waits while the event loop has not come to what was read`() async {
        let credit = InputCredit(Window(messages: 10_000, bytes: 16 << 20))
        let half = InputCredit.maximumUnderWay / 2
        #expect(credit.take(upTo: 10) == 10)
        credit.take(bytes: half)
        #expect(credit.take(upTo: 10) == 10)
        credit.take(bytes: half)
        async let taken = onThread { credit.take(upTo: 3) }
        credit.give(messages: 10, bytes: half)
        credit.arrived(bytes: half)
        #expect(await taken == 3)
    }

    @Test func `gives nothing once it is stopped`() async {
        let credit = InputCredit(Window(messages: 0, bytes: 100))
        async let taken = onThread { credit.take(upTo: 7) }
        credit.stop()
        #expect(await taken == nil)
        credit.give(messages: 4, bytes: 0)
        #expect(credit.take(upTo: 1) == nil)
        #expect(credit.isStopped)
    }

    @Test func `gives a whole chunk on the last credit of a large window, and never more than the window`() {
        let credit = InputCredit(Window(messages: 10_000, bytes: 1_000))
        #expect(credit.take(upTo: 8_700) == 8_700)
        #expect(credit.take(upTo: 600) == 600)
        credit.give(messages: 600, bytes: 0)
        #expect(credit.take(upTo: 10_000) == 1_300)
    }

    @Test func `lets a reader go on when the window is widened`() async {
        let (narrow, wide) = (Window(messages: 5, bytes: 100), Window(messages: 16_000, bytes: 1_000))
        let credit = InputCredit(narrow)
        #expect(credit.take(upTo: 9) == 5)
        credit.take(bytes: 100)
        credit.arrived(bytes: 100)
        async let taken = onThread { credit.take(upTo: 20_000) }
        credit.resize(from: narrow, to: wide)
        #expect(await taken == 15_995)
        credit.take(bytes: 899)
        credit.give(messages: 16_000, bytes: 0)
        credit.arrived(bytes: 899)
        // By its bytes it is not full yet, and then it is.
        #expect(credit.take(upTo: 1) == 1)
        credit.take(bytes: 1)
        credit.arrived(bytes: 1)
        async let last = onThread { credit.take(upTo: 1) }
        credit.stop()
        #expect(await last == nil)
    }

    @Test func `a window that is narrowed is given back before more is read`() async {
        let (narrow, wide) = (Window(messages: 10, bytes: 100), Window(messages: 50, bytes: 1_000))
        let credit = InputCredit(wide)
        #expect(credit.take(upTo: 30) == 30)
        credit.resize(from: wide, to: narrow)
        async let taken = onThread { credit.take(upTo: 20) }
        credit.give(messages: 20, bytes: 0)
        credit.give(messages: 3, bytes: 0)
        #expect(await taken == 3)
    }

    @Test(arguments: [
        (window: 1, kept: 1...16), (window: 20_000, kept: 1...16), (window: 200_000, kept: 100...200),
        (window: 4_000_000, kept: 200...300),
    ])
    func `gives an emptied chunk to whoever fills half of it, and keeps a few`(window: Int, kept: ClosedRange<Int>) {
        let credit = InputCredit(Window(messages: window, bytes: 1))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(100_000)
        for _ in 0..<400 { credit.give(Chunk(bytes: bytes)) }
        #expect(credit.takeSpare(for: 1_000) == nil)
        var count = 0
        while let spare = credit.takeSpare(for: 65_536) {
            #expect(spare.byteCapacity >= 100_000)
            count += 1
        }
        #expect(kept.contains(count))
    }
}
