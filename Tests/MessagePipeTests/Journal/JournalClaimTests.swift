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

    @Test(arguments: [false, true])
    func `what is on record and cannot leave is told as skipped when the run gives up`(_ isOutputClosed: Bool) {
        let run = JournaledRun(batchSize: 1)
        run.read(count: 3)
        #expect(run.nextRequest() == nil)
        #expect(run.takeRecords() == ["intent", "intent", "intent"])
        run.engine.journalSynced(at: run.now)
        // While new credentials are awaited nobody asks for requests.
        run.engine.signalArrived(15, at: run.now)
        if isOutputClosed { run.engine.outputClosed(at: run.now) }
        run.now = run.now.advanced(by: .seconds(10))
        run.engine.deadlineReached(at: run.now)
        #expect(run.takeRecords() == ["withdrawal", "withdrawal", "withdrawal"])
        run.engine.journalSynced(at: run.now)
        #expect(run.output() == (isOutputClosed ? [] : ["skipped", "skipped", "skipped"]))
        run.now = run.now.advanced(by: .seconds(1))
        run.engine.deadlineReached(at: run.now)
        #expect(run.isFinished)
    }

    @Test func `requests leave in the order in which they were recorded`() {
        let run = JournaledRun(batchSize: 1)
        run.read(count: 5)
        run.record()
        var lines: [UInt64] = []
        while let request = run.nextRequest() {
            run.engine.forEachMessage(of: request) { message, _ in lines.append(message.line) }
        }
        #expect(lines == [1, 2, 3, 4, 5])
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

/// A look-up by an OutId of the messages' own, with a journal that knows others of it.
struct JournaledOutIDTests {
    private static func line(_ value: String) -> String {
        #"{"PhoneNumber":"13900000001","OutId":"o","TemplateParam":{"n":"\#(value)"}}"#
    }

    @Test func `an answer of the journal does not hide when a message of this run has left`() throws {
        let run = JournaledRun(batchSize: 1, earlier: [(Self.line("old"), secondsAgo: 100, isAnswered: true)])
        run.read(Self.line("lost"))
        run.record()
        run.engine.unknown(try #require(run.nextRequest()), .connectionLost, at: run.now)
        run.read(Self.line("old"))
        run.read(Self.line("taken"))
        run.record()
        run.engine.answered(try #require(run.nextRequest()), JournaledRun.acceptance, at: run.now)
        run.record()
        run.now = run.now.advanced(by: .seconds(2))
        run.engine.deadlineReached(at: run.now)
        #expect(run.nextRequest() == nil, "a look-up would find the record of the one that was taken")
        run.record()
        #expect(run.output() == ["unknown", "accepted", "accepted"])
    }

    @Test func `a message that an earlier run has had answered just before could be taken for a new one`() throws {
        let run = JournaledRun(batchSize: 1, earlier: [(Self.line("old"), secondsAgo: 1, isAnswered: true)])
        run.read(Self.line("old"), Self.line("lost"))
        run.record()
        run.engine.unknown(try #require(run.nextRequest()), .connectionLost, at: run.now)
        run.record()
        #expect(run.output() == ["accepted", "unknown"])
    }

    @Test func `what an earlier run has left open is not looked up, as others of it may come later`() {
        let run = JournaledRun(batchSize: 1, earlier: [(Self.line("open"), secondsAgo: 100, isAnswered: false)])
        run.read(Self.line("open"))
        #expect(run.nextRequest() == nil)
        run.record()
        #expect(run.output() == ["unknown"])
    }
}

/// An engine with a journal.
private final class JournaledRun {
    var engine: Engine
    var now = Instant(nanoseconds: 1_000_000_000)
    private var parser: MessageParser

    /// - Parameters:
    ///   - isConnected: Whether there is a gateway.
    ///   - batchSize: The most messages of a request.
    ///   - earlier: Lines that an earlier run has sent, and when, in seconds before this one; `isAnswered` says whether it has
    ///     recorded that they were accepted.
    init(
        isConnected: Bool = true,
        batchSize: Int = 100,
        earlier: [(line: String, secondsAgo: Int64, isAnswered: Bool)] = [],
    ) {
        var index = JournalIndex()
        let head = JournalHead(salt: [UInt8](repeating: 7, count: 16), accessKeyID: "id", endpoint: "https://gateway")
        index.apply(JournalEntry(.head(head), time: 0, synced: 0))
        let now = now.nanoseconds / 1_000_000
        for (number, sent) in earlier.enumerated() {
            let time = now - sent.secondsAgo * 1000
            let id = "earlier-\(number + 1)"
            let message = JournalRecord.Message(key: Self.key(sent.line, index), line: 1)
            let intent = JournalRecord.intent(batchID: id, sendDate: 2025_11_24, messages: [message])
            index.apply(JournalEntry(intent, time: time, synced: 0))
            guard sent.isAnswered else { continue }
            let response = Response(.accepted, code: "OK", message: "OK", batchID: id)
            index.apply(JournalEntry(.result(response, count: 1), time: time, synced: 0))
        }
        index.finishReading()
        var configuration = Engine.Configuration(runID: "run")
        configuration.batchSize = batchSize
        engine = Engine(configuration, seed: 1, journal: Journal(index, origin: 0))
        parser = Self.parser(index)
        if isConnected { engine.connected() }
    }

    private static func parser(_ index: JournalIndex) -> MessageParser {
        MessageParser(
            defaults: .init(signName: "甲", templateCode: "T"),
            maximumLineBytes: 1000,
            identifier: MessageIdentifier(index),
        )
    }

    private static func chunk(_ lines: [String], _ parser: inout MessageParser) -> Chunk {
        var splitter = LineSplitter(maximumLineBytes: 1000)
        let block = splitter.append(Array(lines.map { $0 + "\n" }.joined().utf8))
        return parser.parse(block, lines: block.lines.indices)
    }

    private static func key(_ line: String, _ index: JournalIndex) -> Digest96 {
        var parser = parser(index)
        return chunk([line], &parser).identities[0].key
    }

    /// Reads lines, each of which leaves as soon as it is on record.
    func read(_ lines: String...) {
        engine.chunkArrived(Self.chunk(lines, &parser), at: now)
    }

    /// Reads the whole input: messages to as many numbers.
    func read(count: Int) {
        let lines = (0..<count).map { "{\"PhoneNumber\":\"1390000000\($0)\"}" }
        engine.chunkArrived(Self.chunk(lines, &parser), at: now)
        engine.inputEnded(at: now)
    }

    var isFinished: Bool { engine.isFinished }

    func nextDeadline() -> Instant? { engine.nextDeadline() }

    static let acceptance = Answer(codeClass: .success, code: "OK", message: "OK", bizID: "1^0", requestID: "R")

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
        if !takeRecords().isEmpty { engine.journalSynced(at: now) }
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
