// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

/// An engine on the bench: a test feeds it lines and reports, moves its clock, and looks at what it does.
final class Bench {
    var engine: Engine
    var now = Instant(nanoseconds: 0)
    /// The requests that are in flight, oldest first.
    private(set) var inFlight: [Sent] = []
    /// All requests that left, look-ups included.
    private(set) var sent: [Sent] = []
    private let defaults: MessageParser.Defaults
    private var splitter = LineSplitter(maximumLineBytes: 1 << 20)
    private var parser: MessageParser

    /// A request that left.
    struct Sent: Equatable {
        let id: RequestID
        let call: Request.Call
        let lines: [UInt64]
        let phones: [String]
        let head: RequestHead
        let at: Instant
    }

    init(
        defaults: MessageParser.Defaults = .init(signName: "甲", templateCode: "T"),
        _ configure: (inout Engine.Configuration) -> Void = { _ in },
    ) {
        var configuration = Engine.Configuration(runID: "run")
        configuration.unreachableAfter = .seconds(10)
        configure(&configuration)
        engine = Engine(configuration, seed: 1)
        self.defaults = defaults
        parser = MessageParser(defaults: defaults, maximumLineBytes: 1 << 20)
    }

    // MARK: - State

    var isFinished: Bool { engine.isFinished }
    var stop: StopReason? { engine.stop }
    var room: Int { engine.room }
    var hasEnough: Bool { hasEnough(whileOutputIsFull: false) }

    func hasEnough(whileOutputIsFull isOutputFull: Bool) -> Bool { engine.hasEnough(whileOutputIsFull: isOutputFull) }
    var occupancy: Engine.Occupancy { engine.occupancy }
    var tally: Tally { engine.tally }
    var nextDeadline: Instant? { engine.nextDeadline() }
    /// What the oldest request in flight, a look-up, asks for.
    var askedLookUp: LookUp? {
        guard let first = inFlight.first, first.call == .lookUp else { return nil }
        return engine.lookUp(of: first.id, at: now)
    }

    // MARK: - Input

    /// Reads a text of whole lines.
    func read(_ text: String) {
        let block = splitter.append(Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
        engine.chunkArrived(parser.parse(block, lines: block.lines.indices), at: now)
        run()
    }

    /// Reads messages with numbers counted up from a first one.
    func read(count: Int, from first: Int = 0, members: String = "") {
        read(
            (first..<(first + count)).map { "{\"PhoneNumber\":\"\(Self.phone($0))\"\(members)}" }.joined(
                separator: "\n"
            )
        )
    }

    static func phone(_ index: Int) -> String { String(13_900_000_000 + index) }

    func flush() {
        engine.flushRequested(at: now)
        run()
    }

    func endInput() {
        engine.inputEnded(at: now)
        run()
    }

    // MARK: - Time

    /// Moves the clock on, stopping at each deadline of the engine.
    func wait(_ duration: Duration) {
        let end = now.advanced(by: duration)
        var rounds = 0
        while let deadline = engine.nextDeadline(), deadline <= end {
            rounds = deadline <= now ? rounds + 1 : 0
            guard rounds < 10 else {
                Issue.record("the engine's deadline stays in the past")
                break
            }
            now = max(now, deadline)
            engine.deadlineReached(at: now)
            run()
        }
        now = end
    }

    /// Sends what may be sent now.
    func run() {
        while let request = engine.nextRequest(at: now, sendDate: 20_260_101) {
            var lines: [UInt64] = []
            var phones: [String] = []
            engine.forEachMessage(of: request.id) { message, chunk in
                lines.append(message.line)
                phones.append(chunk.text(message.phoneNumber))
            }
            let head = engine.head(of: request.id)
            let sent = Sent(id: request.id, call: request.call, lines: lines, phones: phones, head: head, at: now)
            self.sent.append(sent)
            inFlight.append(sent)
        }
    }

    // MARK: - Reports

    /// Takes out the oldest request in flight, or the one at an index; it is an issue if there is none.
    func takeFlight(_ index: Int = 0) -> Sent? {
        guard inFlight.indices.contains(index) else {
            Issue.record("no request is in flight")
            return nil
        }
        return inFlight.remove(at: index)
    }

    /// Answers a request in flight with a code of a class.
    func answer(
        _ codeClass: CodeClass,
        code: String? = nil,
        message: String = "text",
        bizID: String? = nil,
        retryAfter: Duration? = nil,
        at index: Int = 0
    ) {
        guard let id = takeFlight(index)?.id else { return }
        engine.connected()
        engine.answered(
            id,
            Answer(
                codeClass: codeClass,
                code: code ?? (codeClass == .success ? "OK" : "code.\(codeClass)"),
                message: message,
                bizID: codeClass == .success ? "1^0" : bizID,
                requestID: "R\(sent.count)",
                retryAfter: retryAfter,
            ),
            at: now,
        )
        run()
    }

    /// Answers all requests, and those that follow, until none is in flight; a culprit's requests with a class.
    func answerAll(_ codeClass: CodeClass = .message, culprits: Set<String> = []) {
        while let first = inFlight.first {
            let isRefused = first.phones.contains { culprits.contains($0) }
            answer(isRefused ? codeClass : .success)
        }
    }

    func notSent(_ reason: NotSentReason = .noConnection("refused"), at index: Int = 0) {
        guard let id = takeFlight(index)?.id else { return }
        engine.notSent(id, reason, at: now)
        run()
    }

    func unknown(_ doubt: Doubt = .connectionLost, at index: Int = 0) {
        guard let id = takeFlight(index)?.id else { return }
        engine.unknown(id, doubt, at: now)
        run()
    }

    func lookedUp(_ isFound: Bool, at index: Int = 0) {
        guard let id = takeFlight(index)?.id else { return }
        engine.lookedUp(id, isFound: isFound, at: now)
        run()
    }

    /// Reports that a look-up was refused for its time stamp.
    func lookUpRefusedAsStale(at index: Int = 0) {
        guard let id = takeFlight(index)?.id else { return }
        engine.lookUpRefusedAsStale(id, at: now)
        run()
    }

    /// A request that the engine gives up, not reported yet.
    func nextAbandoned() -> RequestID? { engine.nextAbandoned(at: now) }

    /// Reports what the engine gives up.
    func reportAbandoned(_ doubt: Doubt = .timeout) -> Int {
        var count = 0
        while let id = engine.nextAbandoned(at: now) {
            inFlight.removeAll { $0.id == id }
            engine.unknown(id, doubt, at: now)
            count += 1
        }
        run()
        return count
    }

    // MARK: - Output

    /// The response lines that are due.
    func output() -> [String] {
        var bytes: [UInt8] = []
        while engine.takeOutput(into: &bytes, upTo: bytes.count + 1000) {}
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// What the due response lines say, as `outcome code`.
    func fates() -> [String] { output().map(Self.fate) }

    static func fate(_ line: String) -> String {
        "\(member("Outcome", of: line)) \(member("Code", of: line))"
    }

    /// The text of the last member with a name, without its quotes.
    static func member(_ name: String, of line: String) -> String {
        guard let range = line.ranges(of: "\"\(name)\":").last else { return "absent" }
        let rest = line[range.upperBound...]
        if rest.first == "\"" { return String(rest.dropFirst().prefix { $0 != "\"" }) }
        return String(rest.prefix { $0 != "," && $0 != "}" })
    }
}
