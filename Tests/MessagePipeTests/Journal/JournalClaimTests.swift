// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

/// A response line comes out when what it claims is on stable storage, and not before.
struct JournalClaimTests {
    @Test func `a message that is withdrawn is told as skipped once its withdrawal is on stable storage`() {
        var index = JournalIndex()
        let head = JournalHead(salt: [UInt8](repeating: 7, count: 16), accessKeyID: "id", endpoint: "https://gateway")
        index.apply(JournalEntry(.head(head), time: 0, synced: 0))
        index.finishReading()
        let now = Instant(nanoseconds: 1_000_000_000)
        var engine = Engine(Engine.Configuration(runID: "run"), seed: 1, journal: Journal(index, origin: 0))
        var parser = MessageParser(
            defaults: .init(signName: "甲", templateCode: "T"),
            maximumLineBytes: 1000,
            identifier: MessageIdentifier(index),
        )
        var splitter = LineSplitter(maximumLineBytes: 1000)
        let block = splitter.append(Array("{\"PhoneNumber\":\"13900000000\"}\n".utf8))
        func output() -> String {
            var bytes: [UInt8] = []
            engine.takeOutput(into: &bytes, upTo: 1 << 16)
            return String(decoding: bytes, as: UTF8.self)
        }
        func nextRequest() -> RequestID? { engine.nextRequest(at: now, sendDate: 2025_11_24)?.id }

        engine.connected()
        engine.chunkArrived(parser.parse(block, lines: block.lines.indices), at: now)
        engine.inputEnded(at: now)
        let early = nextRequest()
        #expect(early == nil, "it leaves before its intent is on record")
        let hasIntent = engine.takeJournal(at: now) != nil
        #expect(hasIntent)
        engine.journalSynced(at: now)
        let request = nextRequest()
        guard let request else {
            Issue.record("nothing leaves")
            return
        }
        engine.notSent(request, .brokenWhileSending, at: now)
        let hasWithdrawal = engine.takeJournal(at: now) != nil
        #expect(hasWithdrawal)
        // The end of the run needs no further record, and still has to wait for the one under way.
        engine.signalArrived(15, at: now)
        engine.deadlineReached(at: now.advanced(by: .seconds(20)))
        #expect(output() == "")
        engine.journalSynced(at: now)
        #expect(output().contains("\"Outcome\":\"skipped\""))
        let isFinished = engine.isFinished
        #expect(isFinished)
    }
}
