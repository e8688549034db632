// SPDX-License-Identifier: Apache-2.0

import PipeRuntime
import Testing

/// How many connections there are, by what the gateway's answers tell.
struct ConnectionAllowanceTests {
    private static let few = ConnectionAllowance.few
    private static let late = ConnectionAllowance.promptness * 2

    @Test func `lets few be begun until the sockets are looked at`() {
        var allowance = ConnectionAllowance()
        for count in 0..<Self.few {
            #expect(allowance.allows(beside: count))
            allowance.begun()
        }
        #expect(!allowance.allows(beside: 0))
        allowance.socketsWereLookedAt()
        #expect(allowance.allows(beside: 0))
    }

    @Test func `lets few be as long as answers are prompt`() {
        var allowance = ConnectionAllowance()
        for _ in 0..<1_000 { allowance.answered(after: ConnectionAllowance.promptness) }
        allowance.waited()
        #expect(allowance.allows(beside: Self.few - 1))
        #expect(!allowance.allows(beside: Self.few))
    }

    @Test func `lets more be where answers are late`() {
        var allowance = ConnectionAllowance()
        for _ in 0...(2 * Self.few) { allowance.answered(after: Self.late) }
        #expect(allowance.allows(beside: Self.few))
        for _ in 0..<Self.few { allowance.begun() }
        #expect(!allowance.allows(beside: Self.few))
    }

    @Test func `takes one moment in which all are late for no more than that`() {
        var allowance = ConnectionAllowance()
        for _ in 0..<10 {
            for _ in 0..<Self.few { allowance.answered(after: Self.late) }
            for _ in 0..<Self.few { allowance.answered(after: .zero) }
        }
        #expect(!allowance.allows(beside: Self.few))
    }

    @Test func `lets more be where no answer comes in time`() {
        var allowance = ConnectionAllowance()
        allowance.waited()
        #expect(allowance.allows(beside: Self.few))
    }

    @Test func `is more patient until there is a connection, and less where answers are slow`() {
        var allowance = ConnectionAllowance()
        let first = allowance.patience
        let isFirst = allowance.connected()
        let second = allowance.patience
        #expect(isFirst)
        #expect(second < first)
        let isFirstAgain = allowance.connected()
        #expect(!isFirstAgain)
        allowance.waited()
        #expect(allowance.patience < second)
    }
}
