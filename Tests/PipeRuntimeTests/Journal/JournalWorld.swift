// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import PipeRuntime

/// A promise of the journal that was broken.
struct JournalFailure: Error, CustomStringConvertible {
    let description: String
}

/// What outlasts the runs over one journal: the disk, the gateway with its ledger, and the response lines so far.
///
/// A message is known by its content and its occurrence, or by its `Id`; nothing of the code under test decides which is which.
struct JournalWorld {
    /// How a run ended.
    enum End: Equatable {
        case finished, failed, crashed
    }

    let disk: SimulatedDisk
    let seed: UInt64
    private var random: SeededGenerator
    private var runCount: UInt64 = 0
    /// Passes from run to run, as the clock of a wall does.
    private var now = Instant(nanoseconds: 1_763_952_600_000_000_000)

    /// How often the gateway has taken each message, by its name without its occurrence.
    private(set) var taken: [String: Int] = [:]
    /// The last claim about each message that is to stand, as the members of its response line.
    private(set) var claims: [String: String] = [:]
    /// The messages that may have left: in a request handed out, or in records handed to a disk that then failed.
    private var mayHaveLeft: Set<String> = []
    /// What the gateway knows of requests that it took, by BatchId.
    private var known: Set<String> = []
    private(set) var requestCount = 0
    private(set) var replayedCount = 0

    init(seed: UInt64) {
        self.seed = seed
        disk = SimulatedDisk(seed: seed)
        random = SeededGenerator(seed: seed)
    }

    // MARK: - Input

    /// Lines of all kinds; the same for the same seed.
    static func lines(seed: UInt64, count: Int) -> [String] {
        var random = SeededGenerator(seed: seed &+ 77)
        return (0..<count).map { number in
            let phone = 13_900_000_000 + Int.random(in: 0...5, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                let id = Int.random(in: 0...2, using: &random)
                return "{\"PhoneNumber\":\"\(phone)\",\"TemplateCode\":\"T\",\"Id\":\(id)}"
            case 1: return "{\"PhoneNumber\":\"13900000009\",\"TemplateCode\":\"T\",\"Id\":\"a\(number / 8)\"}"
            case 2: return "{\"PhoneNumber\":\"\(phone)\",\"TemplateCode\":\"T\",\"OutId\":\"o\"}"
            case 3: return "{\"PhoneNumber\":\"\(phone)\",\"TemplateCode\":\"U\"}"
            case 4: return "no JSON \(number)"
            default:
                return "{\"PhoneNumber\":\"\(phone)\",\"TemplateCode\":\"T\",\"TemplateParam\":{\"n\":\(number / 2)}}"
            }
        }
    }

    /// The messages of lines, by content and occurrence; those with an `Id` by that and their content.
    static func names(of lines: [String]) -> [(name: String, content: String)] {
        var counts: [String: Int] = [:]
        return lines.map { line in
            if line.contains("\"Id\"") { return (line, line) }
            counts[line, default: 0] += 1
            return ("\(counts[line] ?? 0) \(line)", line)
        }
    }

    // MARK: - A run

    private struct Flight {
        var contents: [String]
        var names: [String]
        var batchID: String
        var isLookUp: Bool
    }

    private enum Event {
        case report(RequestID, Report)
        case append(JournalGroup)
    }

    private enum Report {
        case answered(CodeClass)
        case notSent
        case unknown
        case lookedUp(Bool)
    }

    /// Runs the engine over input until it ends, the journal fails, or the machine stops.
    ///
    /// - Parameter lines: The input.
    /// - Returns: How it ended.
    /// - Throws: ``JournalFailure`` if a promise is broken.
    mutating func run(_ lines: [String]) throws(JournalFailure) -> End {
        runCount += 1
        now = now.advanced(by: .seconds(30))
        let opened: (file: JournalFile, index: JournalIndex, tornByteCount: Int)
        do throws(JournalError) {
            opened = try JournalFile.open(
                "journal",
                on: disk,
                conditions: JournalConditions(accessKeyID: "testid", endpoint: "https://gateway"),
                salt: [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: 16),
                time: now.nanoseconds / 1_000_000,
            )
        } catch {
            if disk.isCrashed { return .crashed }
            switch error {
            case .cannotOpen, .failed: return .failed
            default: throw fail("the journal is refused: \(error)")
            }
        }
        var file = opened.file
        let identifier = MessageIdentifier(opened.index)
        let journal = Journal(opened.index, origin: 0)
        var configuration = Engine.Configuration(runID: "r\(seed)x\(runCount)")
        configuration.batchSize = 3
        configuration.window = 17
        configuration.concurrency = 3
        var engine = Engine(configuration, seed: seed, journal: journal)
        // Else it is with the first request.
        if seed % 2 == 0 { engine.connected() }
        return try drive(&engine, &file, identifier, lines)
    }

    private mutating func drive(
        _ engine: inout Engine,
        _ file: inout JournalFile,
        _ identifier: MessageIdentifier,
        _ lines: [String],
    ) throws(JournalFailure) -> End {
        let names = Self.names(of: lines)
        var parser = MessageParser(
            defaults: .init(signName: "甲"),
            maximumLineBytes: 1000,
            identifier: identifier,
        )
        var splitter = LineSplitter(maximumLineBytes: 1000)
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        let block = splitter.append(text.span)
        var nextLine = 0
        var nextAnswer = 0
        var isInputOver = false
        var hasFailed = false
        var flights: [RequestID: Flight] = [:]
        var events: [(at: Instant, event: Event)] = []
        var steps = 0

        while !engine.isFinished {
            steps += 1
            guard steps < 100_000 else { throw fail("the run does not end") }
            if nextLine < block.lines.count, engine.room > 0 {
                let end = min(block.lines.count, nextLine + min(engine.room, Int.random(in: 1...5, using: &random)))
                engine.chunkArrived(parser.parse(block, lines: nextLine..<end), at: now)
                nextLine = end
            } else if nextLine == block.lines.count, !isInputOver {
                isInputOver = true
                engine.inputEnded(at: now)
            }
            while let request = engine.nextRequest(at: now, sendDate: 2025_11_24) {
                let (flight, report) = leave(request, engine, names)
                flights[request.id] = flight
                let latency = Duration.milliseconds(Int.random(in: 0...20, using: &random))
                events.append((now.advanced(by: latency), .report(request.id, report)))
            }
            while let id = engine.nextAbandoned(at: now) {
                events.removeAll { if case .report(let other, _) = $0.event { other == id } else { false } }
                events.append((now, .report(id, .unknown)))
            }
            if let group = engine.takeJournal(at: now) {
                events.append((now.advanced(by: .milliseconds(Int.random(in: 0...9, using: &random))), .append(group)))
            }
            var output: [UInt8] = []
            engine.takeOutput(into: &output, upTo: 1 << 20)
            for line in output.split(separator: UInt8(ascii: "\n")) {
                try check(String(decoding: line, as: UTF8.self), names[nextAnswer], hasFailed: hasFailed)
                nextAnswer += 1
            }
            if engine.isFinished { break }

            let deadline = engine.nextDeadline()
            let nextEvent = events.indices.min { events[$0].at < events[$1].at }
            if let nextEvent, events[nextEvent].at <= (deadline ?? events[nextEvent].at) {
                let (at, event) = events.remove(at: nextEvent)
                now = max(now, at)
                switch event {
                case .report(let id, let report):
                    tell(&engine, id, report)
                    flights[id] = nil
                case .append(let group):
                    do throws(StorageError) {
                        try file.append(group)
                        engine.journalSynced(at: now)
                    } catch {
                        if disk.isCrashed { return .crashed }
                        hasFailed = true
                        engine.journalFailed("\(error)", at: now)
                    }
                }
            } else if let deadline {
                now = max(now, deadline)
                engine.deadlineReached(at: now)
            } else if isInputOver {
                throw fail("the run waits for nothing")
            }
        }
        guard nextAnswer == lines.count else { throw fail("\(lines.count) lines were read, \(nextAnswer) answered") }
        replayedCount = engine.tally.replayed
        return hasFailed ? .failed : .finished
    }

    /// Lets a request go, and decides what becomes of it.
    private mutating func leave(
        _ request: Request,
        _ engine: borrowing Engine,
        _ names: [(name: String, content: String)],
    ) -> (Flight, Report) {
        var flight = Flight(contents: [], names: [], batchID: "", isLookUp: request.call == .lookUp)
        guard request.call != .lookUp else {
            let lookUp = engine.lookUp(of: request.id, at: now)
            flight.batchID = String(decoding: lookUp.outID, as: UTF8.self)
            // It may be refused, or not be answered.
            if random.oneIn(4) { return (flight, .unknown) }
            return (flight, .lookedUp(!lookUp.isOwnOutID && known.contains(flight.batchID) && !random.oneIn(4)))
        }
        requestCount += 1
        flight.batchID = String(decoding: engine.head(of: request.id).outID, as: UTF8.self)
        engine.forEachMessage(of: request.id) { message, _ in
            flight.contents.append(names[Int(message.line) - 1].content)
            flight.names.append(names[Int(message.line) - 1].name)
        }
        mayHaveLeft.formUnion(flight.names)
        func take(_ world: inout JournalWorld) {
            for content in flight.contents { world.taken[content, default: 0] += 1 }
            world.known.insert(flight.batchID)
        }
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return (flight, .answered(.throttle))
        case 1: return (flight, .notSent)
        case 2: return (flight, .answered(.message))
        case 3: return (flight, .answered(.batch))
        case 4:
            take(&self)
            return (flight, .unknown)
        case 5: return (flight, .unknown)
        default:
            take(&self)
            return (flight, .answered(.success))
        }
    }

    private func tell(_ engine: inout Engine, _ id: RequestID, _ report: Report) {
        engine.connected()
        switch report {
        case .notSent: engine.notSent(id, .brokenWhileSending, at: now)
        case .unknown: engine.unknown(id, .connectionLost, at: now)
        case .lookedUp(let isFound): engine.lookedUp(id, isFound: isFound, at: now)
        case .answered(let codeClass):
            engine.answered(
                id,
                Answer(
                    codeClass: codeClass,
                    code: codeClass == .success ? "OK" : "isv.\(codeClass)",
                    message: "text",
                    bizID: codeClass == .success ? "\(id)^0" : nil,
                    requestID: "R",
                    retryAfter: .milliseconds(100),
                ),
                at: now,
            )
        }
    }

    // MARK: - Promises

    /// Compares a response line with the claims of earlier runs and with the ledger.
    private mutating func check(
        _ line: String,
        _ message: (name: String, content: String),
        hasFailed: Bool,
    ) throws(JournalFailure) {
        guard let start = line.range(of: "\"Outcome\":\"") else { throw fail("no outcome in \(line)") }
        let members = String(line[start.lowerBound...])
        let outcome = Outcome(rawValue: String(line[start.upperBound...].prefix { $0 != "\"" }))
        if let claim = claims[message.name], claim != members {
            throw fail("\(message.name) was \(claim), and is now \(members)")
        }
        let isTaken = taken[message.content, default: 0] > 0
        switch outcome {
        case .accepted: guard isTaken else { throw fail("accepted, and never taken: \(line)") }
        case .unknown:
            // A run whose journal has failed goes by what the journal says, which may be that it left when it did not.
            guard hasFailed || mayHaveLeft.contains(message.name) || isTaken else {
                throw fail("unknown, and never left: \(line)")
            }
        case .skipped:
            guard hasFailed else { throw fail("skipped in a run whose journal has not failed: \(line)") }
            return
        case .invalid, .rejected: break
        default: throw fail("no such outcome: \(line)")
        }
        // What is said without the journal is not final: it only must not be wrong.
        if hasFailed, outcome == .unknown, members.contains("the journal failed") { return }
        claims[message.name] = members
    }

    /// Notes that a crash has fallen on requests whose intent may be on the disk.
    mutating func noteCrash(_ lines: [String]) {
        mayHaveLeft.formUnion(Self.names(of: lines).map(\.name))
    }

    /// Checks what must hold after the last run.
    func checkEnd(_ lines: [String]) throws(JournalFailure) {
        var counts: [String: Int] = [:]
        for (name, content) in Self.names(of: lines) {
            counts[content] = content.contains("\"Id\"") ? 1 : counts[content, default: 0] + 1
            guard claims[name] != nil else { throw fail("\(name) is not answered in the end") }
        }
        for (content, count) in taken where count > counts[content, default: 0] {
            throw fail("\(content) was taken \(count) times")
        }
        for (content, count) in counts where taken[content, default: 0] < count {
            let names = claims.filter { $0.key.hasSuffix(content) }
            let accounted = names.values.filter { !$0.contains("\"accepted\"") }.count
            guard taken[content, default: 0] + accounted >= count else { throw fail("\(content) is lost") }
        }
    }

    func fail(_ what: String) -> JournalFailure {
        JournalFailure(description: "seed \(seed), run \(runCount): \(what)")
    }
}

extension String {
    /// Where a text stands first.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
