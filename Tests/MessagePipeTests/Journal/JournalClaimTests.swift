// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

/// A response line comes out when what it claims is on stable storage, and not before.
struct JournalClaimTests {
    @Test func `a message that is withdrawn is told as skipped once its withdrawal is on stable storage`() throws {
        let run = JournaledRun()
        run.read(count: 1)
        #expect(run.nextRequest() == nil, "it leaves before its intent is on record")
        #expect(run.takeRecords() == ["intent"])
        run.engine.journalSynced(at: run.now)
        let request = try #require(run.nextRequest())
        run.engine.notSent(request, .brokenWhileSending, at: run.now)
        #expect(run.takeRecords() == ["withdrawal"])
        // The end of the run needs no further record, and still has to wait for the one under way.
        run.engine.signalArrived(15, at: run.now)
        run.engine.deadlineReached(at: run.now.advanced(by: .seconds(20)))
        #expect(run.output() == [])
        run.engine.journalSynced(at: run.now)
        #expect(run.output() == ["skipped"])
        #expect(run.isFinished)
    }

    @Test(arguments: [false, true])
    func `the halves of a refused batch are not told as skipped before it is withdrawn`(fails: Bool) throws {
        let run = JournaledRun()
        run.read(count: 2)
        run.record()
        let request = try #require(run.nextRequest())
        run.engine.answered(request, JournaledRun.refusal(.message), at: run.now)
        run.engine.signalArrived(15, at: run.now)
        run.engine.deadlineReached(at: run.now.advanced(by: .seconds(20)))
        #expect(run.output() == [])
        #expect(run.takeRecords() == ["withdrawal"])
        #expect(run.output() == [] && !run.isFinished)
        if fails {
            run.engine.journalFailed("full", at: run.now)
            #expect(run.output() == ["unknown", "unknown"])
        } else {
            run.engine.journalSynced(at: run.now)
            #expect(run.output() == ["skipped", "skipped"])
        }
        #expect(run.isFinished)
    }

    @Test func `one request is recorded until there is a gateway`() {
        let run = JournaledRun(isConnected: false, batchSize: 1)
        run.read(count: 3)
        #expect(run.nextRequest() == nil)
        #expect(run.takeRecords() == ["intent"])
        run.engine.journalSynced(at: run.now)
        #expect(run.nextRequest() != nil)
        #expect(run.nextRequest() == nil && run.takeRecords() == [])
        run.engine.connected()
        #expect(run.nextRequest() == nil)
        #expect(run.takeRecords() == ["intent", "intent"])
    }

    @Test(arguments: [(isOutputClosed: false, records: ["result"]), (true, [])])
    func `what nobody was told of stays open for the next run to look up`(
        isOutputClosed: Bool,
        records: [String],
    ) throws {
        let run = JournaledRun()
        run.read(count: 1)
        run.record()
        let request = try #require(run.nextRequest())
        if isOutputClosed { run.engine.outputClosed(at: run.now) }
        run.engine.unknown(request, .connectionLost, at: run.now)
        while !isOutputClosed, let deadline = run.nextDeadline() {
            run.now = deadline
            run.engine.deadlineReached(at: run.now)
            guard let lookUp = run.nextRequest() else { break }
            run.engine.notSent(lookUp, .noConnection("refused"), at: run.now)
        }
        #expect(run.takeRecords() == records)
        if !isOutputClosed { run.engine.journalSynced(at: run.now) }
        #expect(run.output() == (isOutputClosed ? [] : ["unknown"]) && run.isFinished)
    }
}

/// An engine with a journal that is new.
private final class JournaledRun {
    var engine: Engine
    var now = Instant(nanoseconds: 1_000_000_000)
    private var parser: MessageParser

    init(isConnected: Bool = true, batchSize: Int = 100) {
        var index = JournalIndex()
        let head = JournalHead(salt: [UInt8](repeating: 7, count: 16), accessKeyID: "id", endpoint: "https://gateway")
        index.apply(JournalEntry(.head(head), time: 0, synced: 0))
        index.finishReading()
        var configuration = Engine.Configuration(runID: "run")
        configuration.batchSize = batchSize
        engine = Engine(configuration, seed: 1, journal: Journal(index, origin: 0))
        parser = MessageParser(
            defaults: .init(signName: "甲", templateCode: "T"),
            maximumLineBytes: 1000,
            identifier: MessageIdentifier(index),
        )
        if isConnected { engine.connected() }
    }

    /// Reads the whole input: messages to as many numbers.
    func read(count: Int) {
        var splitter = LineSplitter(maximumLineBytes: 1000)
        let lines = (0..<count).map { "{\"PhoneNumber\":\"1390000000\($0)\"}\n" }.joined()
        let block = splitter.append(Array(lines.utf8))
        engine.chunkArrived(parser.parse(block, lines: block.lines.indices), at: now)
        engine.inputEnded(at: now)
    }

    var isFinished: Bool { engine.isFinished }

    func nextDeadline() -> Instant? { engine.nextDeadline() }

    func nextRequest() -> RequestID? { engine.nextRequest(at: now, sendDate: 2025_11_24)?.id }

    /// The types of the records that are to be on stable storage next.
    func takeRecords() -> [String] {
        guard let group = engine.takeJournal(at: now) else { return [] }
        var text: [UInt8] = []
        group.append(to: &text, synced: 0)
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            line.split(separator: "\"").dropFirst(3).first.map(String.init)
        }
    }

    /// Records what may leave, and sees it on stable storage.
    func record() {
        _ = nextRequest()
        _ = takeRecords()
        engine.journalSynced(at: now)
    }

    /// The outcomes of the response lines that are due.
    func output() -> [String] {
        var bytes: [UInt8] = []
        engine.takeOutput(into: &bytes, upTo: 1 << 16)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            line.split(separator: "\"").drop { $0 != "Outcome" }.dropFirst(2).first.map(String.init)
        }
    }

    static func refusal(_ codeClass: CodeClass) -> Answer {
        Answer(codeClass: codeClass, code: "isv.X", message: "", requestID: "R")
    }
}
