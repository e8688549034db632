// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// One run of the engine against a world that is decided by a seed: input in cuts, a gateway that answers, refuses, throttles,
/// loses and stays silent, signals, a slow or closed output; time is a number.
///
/// It keeps its own books of what left and what was said about it, and compares them with the response lines.
struct Simulation: ~Copyable {
    /// A promise that was broken; names the seed.
    struct Failure: Error, CustomStringConvertible {
        let seed: UInt64
        let what: String

        var description: String { "SMSPIPE_SEED=\(seed): \(what)" }
    }

    /// What the books say of one message.
    private struct Entry {
        var requests = 0
        /// The last request is with the gateway, or nobody knows what became of it.
        var mayBeTaken = false
        var isTaken = false
        var isRefused = false
        var isUnknown = false
        var doubtSince = Instant(nanoseconds: 0)
        var outcome: Outcome?
    }

    private enum Event {
        case readable
        case writable
        case report(RequestID, Report)
        case connected
        case signal
        case outputClosed
        case outputFailed
        case flush
        case spuriousTimer
    }

    private enum Report {
        case answered(CodeClass, retryAfter: Duration?)
        case notSent(NotSentReason)
        case unknown(Doubt)
        /// A look-up was answered; whether what it asks for is on record already.
        case lookedUp(isVisible: Bool)
        /// A look-up was refused for its time stamp.
        case stale
    }

    /// What the gateway knows of a message that it has taken.
    private struct Record {
        var outID: [UInt8]
        var templateCode: [UInt8]
        var phoneNumber: [UInt8]
        var at: Instant
    }

    private struct Flight {
        var lines: [Int]
        /// The numbers of the lines.
        var phoneNumbers: [[UInt8]]
        var outID: [UInt8]
        var templateCode: [UInt8]
        /// What is looked up, and since when it may be on record.
        var lookUp: (LookUp, times: ClosedRange<Instant>)?
        var isLookUp: Bool { lookUp != nil }
        /// Whether the gateway has taken the messages, known to nobody else.
        var isTruly = false
    }

    let seed: UInt64
    private var random: SeededGenerator
    private var configuration: Engine.Configuration
    private var engine: Engine
    private var now = Instant(nanoseconds: 0)
    private var events: [(at: Instant, event: Event)] = []

    private var block: LineBlock
    /// What the block's messages are put into, in storage of earlier messages where there is some.
    private var storage = Chunk()
    private var nextLine = 0
    private var pending: [[UInt8]] = []
    private var splitter: LineSplitter
    private var parser: MessageParser
    private var isInputOver = false

    private var entries: [Entry]
    private var expected: [Int] = []
    private var flights: [RequestID: Flight] = [:]
    private var taken: Set<Int> = []
    private var records: [Record] = []
    private var output: [UInt8] = []
    private var isOutputGone = false
    private var signalledAt: Instant?
    private var lastLine = 0
    private var answeredCount = 0
    /// What has happened so far, for a test that looks whether enough does.
    var tally: Tally { engine.tally }
    /// Why the run stopped sending, if it did.
    var stop: StopReason? { engine.stop }

    // The world's character.
    private let isReachable: Bool
    private var hasConnected = false
    private let classes: [CodeClass]
    private let silence: Int
    private let loss: Int
    private let failure: Int
    private let latency: Int64
    private let badLine: Int

    init(seed: UInt64) {
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        var configuration = Engine.Configuration(runID: "r\(seed)")
        configuration.batchSize = random.pick([1, 2, 3, 5, 8, 100])
        configuration.window = random.pick([1, 2, 7, 20, 1000])
        configuration.widestWindow = random.pick([0, 0, 50, 9000])
        configuration.maximumHeldBytes = random.pick([1, 500, 1 << 20, 1 << 20])
        configuration.linger = random.pick([.zero, .milliseconds(1), .milliseconds(100), .seconds(3)])
        configuration.concurrency = random.pick([1, 2, 5, 64])
        configuration.maximumMessagesPerSecond = random.pick([nil, nil, nil, 1, 50, 5000])
        configuration.timeout = random.pick([.milliseconds(50), .seconds(1), .seconds(10)])
        configuration.deadline =
            random.oneIn(20) ? .zero : random.pick([.milliseconds(20), .seconds(2), .seconds(120), .seconds(120)])
        configuration.confirm = random.pick([.zero, .seconds(2), .seconds(6), .seconds(30), .seconds(30)])
        configuration.drain = random.pick([.zero, .milliseconds(100), .seconds(10)])
        configuration.unreachableAfter = random.pick([.milliseconds(100), .seconds(10)])
        configuration.splits = !random.oneIn(4)
        configuration.isDryRun = random.oneIn(20)
        configuration.keepsInputOrder = !random.oneIn(3)
        configuration.echoes = random.oneIn(2)
        engine = Engine(configuration, seed: random.next())
        self.configuration = configuration

        isReachable = !random.oneIn(12)
        silence = random.pick([1_000_000, 30, 5, 2])
        loss = random.pick([1_000_000, 30, 5, 2])
        failure = random.pick([1_000_000, 30, 5, 2])
        latency = random.pick([0, 1_000_000, 50_000_000, 3_000_000_000])
        badLine = random.pick([1_000_000, 10, 2])
        let all: [CodeClass] = [
            .success, .message, .batch, .batchOrMessage, .credentials, .account, .throttle, .stale, .unknownRefusal,
            .ambiguous,
        ]
        // Stops are rare in most runs, or every run would be short.
        var classes: [CodeClass] = [.success, .success]
        for codeClass in all where random.oneIn(3) {
            let isStop = codeClass == .credentials || codeClass == .account || codeClass == .stale
            guard !isStop || random.oneIn(4) else { continue }
            for _ in 0..<random.pick([1, 1, 3]) { classes.append(codeClass) }
        }
        if random.oneIn(2) { for _ in 0..<20 { classes.append(.success) } }
        self.classes = classes

        let lineCount = Int.random(in: 0...random.pick([3, 20, 60]), using: &random)
        entries = Array(repeating: Entry(), count: lineCount + 1)
        splitter = LineSplitter(maximumLineBytes: 300)
        block = splitter.finish()
        parser = MessageParser(
            defaults: .init(signName: "甲", urgentTemplates: random.oneIn(3) ? ["T1"] : []),
            maximumLineBytes: 300,
        )
        self.random = random
        makeInput(lineCount)
        schedule(.readable, within: 1_000_000)
        schedule(.writable, within: 1_000_000)
        if self.random.oneIn(6) {
            schedule(.signal, within: self.random.pick([1_000_000, 1_000_000_000, 30_000_000_000]))
        }
        if self.random.oneIn(12) { schedule(.signal, within: 20_000_000_000) }
        if self.random.oneIn(10) { schedule(.outputClosed, within: self.random.pick([1_000_000, 5_000_000_000])) }
        if self.random.oneIn(40) { schedule(.outputFailed, within: 1_000_000_000) }
        if self.random.oneIn(5) { schedule(.flush, within: 1_000_000_000) }
    }

    /// Runs to the end and checks every promise on the way.
    mutating func run() throws(Failure) {
        var steps = 0
        while true {
            try act()
            if engine.isFinished { break }
            steps += 1
            guard steps < 50_000 else { throw failure("the run does not end") }
            var deadline = engine.nextDeadline()
            if let due = deadline, due <= now {
                engine.deadlineReached(at: now)
                try act()
                if engine.isFinished { break }
                deadline = engine.nextDeadline()
                if let due = deadline, due <= now {
                    throw failure("nextDeadline \(due.nanoseconds) stays in the past: a busy loop")
                }
            }
            let next = events.indices.min { events[$0].at < events[$1].at }
            if let next, events[next].at <= deadline ?? events[next].at {
                let (at, event) = events.remove(at: next)
                now = max(now, at)
                try happen(event)
            } else if let deadline {
                now = deadline
                engine.deadlineReached(at: now)
            } else {
                throw failure("the run waits for nothing: \(engine.occupancy)")
            }
        }
        try checkEnd()
    }

    // MARK: - The driver

    /// Does what the engine wants done now.
    private mutating func act() throws(Failure) {
        while let request = engine.nextRequest(at: now, sendDate: 20_260_101) { try send(request) }
        while let id = engine.nextAbandoned(at: now) { try abandon(id) }
        if isOutputGone { try takeOutput() }
        let inFlight = flights.values.count { !$0.isLookUp }
        guard inFlight <= configuration.concurrency, inFlight == engine.tally.inFlight else {
            throw failure("\(inFlight) requests are in flight, \(engine.tally.inFlight) by the tally")
        }
        guard flights.count <= configuration.concurrency else {
            throw failure("\(flights.count) requests and look-ups are in flight")
        }
        // What is given up then is reported within a millisecond here.
        if let signalledAt, signalledAt.advanced(by: configuration.drain + .milliseconds(2)) < now, !flights.isEmpty {
            throw failure("answers are awaited after the drain time")
        }
        let widest = max(configuration.window, configuration.widestWindow)
        if signalledAt == nil, !isOutputGone, engine.occupancy.messages > widest {
            throw failure("the window holds \(engine.occupancy.messages) messages")
        }
    }

    private mutating func send(_ request: Request) throws(Failure) {
        var lines: [Int] = []
        var phoneNumbers: [[UInt8]] = []
        var phones: Set<UInt64> = []
        var keys: Set<String> = []
        engine.forEachMessage(of: request.id) { message, chunk in
            lines.append(Int(message.line))
            phoneNumbers.append(Array(String(message.phoneKey).utf8))
            phones.insert(message.phoneKey)
            keys.insert(
                "\(chunk.text(message.templateCode)) \(chunk.text(message.outID)) \(message.traits.intersection(.shared))"
            )
        }
        guard !lines.isEmpty, lines.count <= configuration.batchSize, phones.count == lines.count, keys.count == 1
        else {
            throw failure("a request holds lines \(lines) of \(keys)")
        }
        guard flights[request.id] == nil else { throw failure("a request is named twice") }
        guard !configuration.isDryRun else { throw failure("a dry run sends") }
        let head = engine.head(of: request.id)
        var flight = Flight(
            lines: lines,
            phoneNumbers: phoneNumbers,
            outID: head.outID,
            templateCode: head.templateCode,
        )
        if request.call == .lookUp {
            let lookUp = engine.lookUp(of: request.id, at: now)
            // As the runtime allows for clocks.
            let sent = now.advanced(by: .seconds(-lookUp.secondsSinceSent))
            let times = sent.advanced(by: .seconds(-2))...sent.advanced(by: .seconds(lookUp.secondsUntilTaken))
            flight.lookUp = (lookUp, times)
            for line in lines {
                guard entries[line].isUnknown else { throw failure("line \(line) is looked up and not in doubt") }
                guard entries[line].doubtSince.duration(to: now) <= configuration.confirm + .seconds(1) else {
                    throw failure("line \(line) is looked up too late")
                }
            }
        } else {
            switch engine.stop {
            case nil, .signal: break
            default: throw failure("a request leaves after \(String(describing: engine.stop))")
            }
            guard head.count == lines.count else { throw failure("the head counts \(head.count) messages") }
            for line in lines {
                guard !entries[line].mayBeTaken, entries[line].outcome == nil else {
                    throw failure("line \(line) is in two requests")
                }
                entries[line].mayBeTaken = true
                entries[line].isRefused = false
                entries[line].requests += 1
            }
        }
        flights[request.id] = flight
        guard !random.oneIn(silence) else {
            if !flight.isLookUp, random.oneIn(2) {
                flight.isTruly = true
                flights[request.id] = flight
            }
            return
        }
        schedule(.report(request.id, answer(flight)), within: random.pick([latency, latency, latency * 10]))
    }

    private mutating func answer(_ flight: Flight) -> Report {
        guard isReachable else {
            return .notSent(random.oneIn(10) ? .certificate("expired") : .noConnection("refused"))
        }
        if !hasConnected {
            if random.oneIn(4) { return .notSent(.noConnection("refused")) }
            hasConnected = true
            engine.connected()
        }
        if random.oneIn(failure) { return .notSent(random.pick([.brokenWhileSending, .noConnection("reset")])) }
        if random.oneIn(loss) { return .unknown(random.pick([.connectionLost, .unreadable(status: 502)])) }
        if flight.isLookUp { return random.oneIn(8) ? .stale : .lookedUp(isVisible: random.oneIn(2)) }
        let retryAfter: Duration? = random.oneIn(3) ? .milliseconds(random.pick([0, 1, 700, 100_000])) : nil
        return .answered(random.pick(classes), retryAfter: retryAfter)
    }

    private mutating func abandon(_ id: RequestID) throws(Failure) {
        guard let flight = flights[id] else { throw failure("a request is abandoned that has ended") }
        events.removeAll { if case .report(let other, _) = $0.event { other == id } else { false } }
        let isUnsent = !flight.isTruly && random.oneIn(2)
        let report: Report = isUnsent ? .notSent(.noConnection("no answer")) : .unknown(.timeout)
        schedule(.report(id, report), within: random.pick([0, 1_000_000]))
    }

    private mutating func happen(_ event: Event) throws(Failure) {
        switch event {
        case .readable: read()
        case .writable:
            try takeOutput()
            if !isOutputGone { schedule(.writable, within: random.pick([0, 10_000_000, 2_000_000_000]) + 1) }
        case .report(let id, let report): try self.report(id, report)
        case .connected: engine.connected()
        case .signal:
            signalledAt = signalledAt ?? now
            engine.signalArrived(15, at: now)
        case .outputClosed:
            isOutputGone = true
            engine.outputClosed(at: now)
        case .outputFailed:
            isOutputGone = true
            engine.outputFailed("full", at: now)
        case .flush: engine.flushRequested(at: now)
        case .spuriousTimer: engine.deadlineReached(at: now)
        }
        if random.oneIn(20) { engine.deadlineReached(at: now) }
    }

    /// Reads as the runtime does: a chunk, of it as many lines as there is room for.
    private mutating func read() {
        guard !isInputOver else { return }
        var isStopped = isOutputGone
        if case .signal = engine.stop { isStopped = true }
        if nextLine < block.lines.count {
            let room = isStopped ? Int.max : engine.room
            if room > 0 {
                let end = min(block.lines.count, nextLine + min(room, 1000))
                let chunk = parser.parse(block, lines: nextLine..<end, reusing: storage)
                storage = Chunk()
                for line in block.lines[nextLine..<end] { expected.append(Int(line.number)) }
                nextLine = end
                engine.chunkArrived(chunk, at: now)
                schedule(.readable, within: 1)
            } else {
                schedule(.readable, within: 200_000_000)
            }
            return
        }
        guard !isStopped, !pending.isEmpty else {
            isInputOver = true
            engine.inputEnded(at: now)
            return
        }
        if random.oneIn(3) { engine.inputIdled(at: now) }
        block.removeAll()
        storage = takeStorage()
        swap(&block.bytes, &storage.bytes)
        let bytes = pending.removeLast()
        block = splitter.append(bytes.span, reusing: block)
        nextLine = 0
        if pending.isEmpty, block.lines.isEmpty { block = splitter.finish() }
        schedule(.readable, within: random.pick([0, 1_000_000, 1_000_000_000]))
    }

    /// An emptied chunk of the engine, or one that is large enough to come back.
    private mutating func takeStorage() -> Chunk {
        if let spare = engine.takeSpareChunk() { return spare }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Chunk.reusableByteCounts.lowerBound)
        return Chunk(bytes: bytes)
    }

    private mutating func report(_ id: RequestID, _ report: Report) throws(Failure) {
        guard let flight = flights.removeValue(forKey: id) else { throw failure("a request is reported twice") }
        switch report {
        case .notSent(let reason):
            if !flight.isLookUp { for line in flight.lines { entries[line].mayBeTaken = false } }
            engine.notSent(id, reason, at: now)
        case .unknown(let doubt):
            for line in flight.lines where !flight.isLookUp {
                entries[line].isUnknown = true
                entries[line].doubtSince = now
            }
            if !flight.isLookUp, flight.isTruly || random.oneIn(2) { take(flight) }
            engine.unknown(id, doubt, at: now)
        case .lookedUp(let isVisible):
            engine.lookedUp(id, isFound: isVisible && finds(flight), at: now)
        case .stale: engine.lookUpRefusedAsStale(id, at: now)
        case .answered(let codeClass, let retryAfter):
            for line in flight.lines {
                switch codeClass {
                case .success: entries[line].isTaken = true
                case .ambiguous:
                    entries[line].isUnknown = true
                    entries[line].doubtSince = now
                default:
                    entries[line].mayBeTaken = false
                    entries[line].isRefused = true
                }
            }
            if codeClass == .success || codeClass == .ambiguous && random.oneIn(2) { take(flight) }
            let answer = Answer(
                codeClass: codeClass,
                code: codeClass == .success ? "OK" : "isv.\(codeClass)",
                message: "text",
                bizID: codeClass == .success ? "1^0" : nil,
                requestID: "R",
                retryAfter: retryAfter,
            )
            engine.answered(id, answer, at: now)
        }
    }

    /// Has the gateway take a request's messages.
    private mutating func take(_ flight: Flight) {
        taken.formUnion(flight.lines)
        for phoneNumber in flight.phoneNumbers {
            records.append(
                Record(outID: flight.outID, templateCode: flight.templateCode, phoneNumber: phoneNumber, at: now)
            )
        }
    }

    /// Whether the gateway's records have what a look-up asks for.
    private func finds(_ flight: Flight) -> Bool {
        guard let (lookUp, times) = flight.lookUp else { return false }
        return records.contains { record in
            record.outID == lookUp.outID && record.templateCode == lookUp.templateCode
                && record.phoneNumber == lookUp.phoneNumber && (!lookUp.isOwnOutID || times.contains(record.at))
        }
    }

    private mutating func takeOutput() throws(Failure) {
        output.removeAll(keepingCapacity: true)
        engine.takeOutput(into: &output, upTo: random.pick([1, 400, 100_000]))
        guard !isOutputGone else {
            guard output.isEmpty else { throw failure("lines are written to a closed output") }
            return
        }
        var start = 0
        for index in output.indices where output[index] == UInt8(ascii: "\n") {
            try check(output[start..<index])
            start = index + 1
        }
        guard start == output.count else { throw failure("a response line has no line break") }
    }

    // MARK: - Promises

    private mutating func check(_ line: ArraySlice<UInt8>) throws(Failure) {
        guard let number = Self.number(line), entries.indices.contains(number) else {
            throw failure("no line number in \(String(decoding: line, as: UTF8.self))")
        }
        guard let outcome = Self.outcome(line) else {
            throw failure("no outcome in \(String(decoding: line, as: UTF8.self))")
        }
        guard entries[number].outcome == nil else { throw failure("line \(number) is answered twice") }
        entries[number].outcome = outcome
        answeredCount += 1
        if configuration.keepsInputOrder {
            guard number > lastLine else { throw failure("line \(number) comes after line \(lastLine)") }
            lastLine = number
        }
        let entry = entries[number]
        let holds =
            switch outcome {
            case .accepted: taken.contains(number)
            case .rejected: entry.isRefused && !entry.mayBeTaken
            case .unknown: entry.isUnknown && entry.mayBeTaken && !entry.isTaken
            case .skipped: !entry.mayBeTaken
            case .invalid: entry.requests == 0
            case .planned: configuration.isDryRun && entry.requests == 0
            }
        guard holds else { throw failure("line \(number) is \(outcome), but: \(entry)") }
    }

    private mutating func checkEnd() throws(Failure) {
        guard flights.isEmpty else { throw failure("the run ends with requests in flight") }
        if isOutputGone {
            while !isInputOver { read() }
            for _ in 0..<2 { try takeOutput() }
        } else {
            // A reader that is slower than that counts as one that does not return.
            let isGivenUp = signalledAt.map { now >= $0.advanced(by: configuration.drain + .seconds(1)) } ?? false
            guard isInputOver || isGivenUp else { throw failure("the run ends before its input") }
            guard answeredCount == expected.count, expected.allSatisfy({ entries[$0].outcome != nil }) else {
                throw failure("\(expected.count) lines were read and \(answeredCount) answered")
            }
            guard engine.tally.answered == answeredCount, engine.tally.messages == answeredCount else {
                throw failure("the tally counts \(engine.tally.messages) messages, \(engine.tally.answered) answered")
            }
        }
        guard engine.occupancy == Engine.Occupancy() else {
            throw failure("the engine still holds \(engine.occupancy)")
        }
        guard engine.room == engine.window.messages,
            (configuration.window...max(configuration.window, configuration.widestWindow)).contains(engine.room)
        else { throw failure("the room is \(engine.room) at the end") }
    }

    private func failure(_ what: String) -> Failure {
        Failure(seed: seed, what: what + " at \(now.nanoseconds) ns")
    }

    // MARK: - The world

    private mutating func schedule(_ event: Event, within nanoseconds: Int64) {
        events.append(
            (now.advanced(by: .nanoseconds(Int64.random(in: 0...max(nanoseconds, 0), using: &random))), event)
        )
    }

    /// Lines that say their number, in chunks cut anywhere, the first one last.
    private mutating func makeInput(_ lineCount: Int) {
        var input: [UInt8] = []
        for number in stride(from: 1, through: lineCount, by: 1) {
            input.append(contentsOf: line(number).utf8)
            input.append(contentsOf: (random.oneIn(9) ? "\r\n" : "\n").utf8)
        }
        if random.oneIn(2), !input.isEmpty { input.removeLast() }
        let maximum = random.pick([30, 400, 100_000])
        var rest = input[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(rest.count, maximum), using: &random)
            pending.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        pending.append([])
        pending.reverse()
    }

    private mutating func line(_ number: Int) -> String {
        if random.oneIn(badLine) {
            return random.pick([
                "", "  ", "no JSON", "{\"Line\":\(number)}", "{\"Line\":\(number),\"PhoneNumber\":true}",
                "{\"Line\":\(number),\"PhoneNumber\":\"1390000000\(number % 10)\"}", String(repeating: "x", count: 400),
            ])
        }
        let phone = 13_900_000_000 + Int.random(in: 0...random.pick([1, 50]), using: &random)
        var line = "{\"Line\":\(number),\"PhoneNumber\":\"\(phone)\",\"TemplateCode\":\"T\(random.pick([1, 1, 2]))\""
        if random.oneIn(3) { line += ",\"SignName\":\"乙\"" }
        if random.oneIn(8) { line += ",\"OutId\":\"o\(random.pick([1, 2]))\"" }
        if random.oneIn(4) { line += ",\"TemplateParam\":{\"code\":\(number)}" }
        if random.oneIn(9) { line += ",\"Outcome\":\"rejected\"" }
        return line + "}"
    }

    private static let lineMember = Array("{\"Line\":".utf8)
    private static let outcomeMember = Array("\"Outcome\":\"".utf8)

    private static func number(_ line: ArraySlice<UInt8>) -> Int? {
        guard line.starts(with: lineMember) else { return nil }
        var number = 0
        for byte in line.dropFirst(lineMember.count) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    private static func outcome(_ line: ArraySlice<UInt8>) -> Outcome? {
        var index = line.startIndex
        while index + outcomeMember.count < line.endIndex {
            if line[index] == UInt8(ascii: "\""), line[index...].starts(with: outcomeMember) {
                let text = line[(index + outcomeMember.count)...].prefix { $0 != UInt8(ascii: "\"") }
                return Outcome(rawValue: String(decoding: text, as: UTF8.self))
            }
            index += 1
        }
        return nil
    }
}
