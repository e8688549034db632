// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct PacingTests {
    @Test func `nothing is paced before the first refusal`() {
        let sender = Sender(concurrency: 8)
        #expect(sender.send() == 8)
        #expect(sender.nextDeadline == sender.now.advanced(by: .seconds(10)), "no permit is awaited, only answers are")
        for _ in 0..<100 {
            sender.pass(.milliseconds(1))
            sender.answerAll(with: .success)
            #expect(sender.send() == 8)
        }
    }

    @Test func `a paced request leaves when the deadline says, and not before`() throws {
        let sender = Sender()
        sender.throttle()
        var sent = 0
        for _ in 0..<200 {
            let deadline = try #require(sender.nextDeadline)
            try #require(deadline > sender.now, "the deadline is due again at once")
            sender.pass(sender.now.duration(to: deadline) - .nanoseconds(1))
            #expect(sender.send() == 0)
            sender.pass(.nanoseconds(1))
            sent += sender.send()
            sender.answerAll(with: .success)
        }
        // The other wake-ups are for the 64 that back off.
        #expect(sent >= 200 - 64)
    }

    @Test(arguments: [nil, Duration.milliseconds(1), .seconds(90)])
    func `requests that are all refused become rare`(_ retryAfter: Duration?) {
        let sender = Sender()
        sender.throttle(retryAfter: retryAfter)
        sender.run(.seconds(60)) { _ in .throttle }
        let sent = sender.run(.seconds(60)) { _ in .throttle }
        #expect((5...30).contains(sent))
    }

    @Test func `a refused request waits as long as the gateway asks, the others do not`() throws {
        let sender = Sender(messages: 2, concurrency: 2)
        #expect(sender.send() == 2)
        sender.pass(.milliseconds(10))
        sender.answer(with: .throttle, retryAfter: .seconds(30))
        sender.answer(with: .success)
        sender.read(1)
        #expect(sender.run(.seconds(29)) { _ in .success } == 1)
        #expect(sender.run(.seconds(5)) { _ in .success } == 1)
    }

    @Test func `a long wait is asked for in vain`() throws {
        let sender = Sender(messages: 1)
        #expect(sender.send() == 1)
        sender.answer(with: .throttle, retryAfter: .seconds(3600))
        #expect(sender.run(.seconds(59)) { _ in .success } == 0)
        #expect(sender.run(.seconds(10)) { _ in .success } == 1)
    }

    @Test func `all is as before once nothing was refused for long`() {
        let sender = Sender(concurrency: 16, latency: .milliseconds(100))
        sender.throttle()
        sender.run(.seconds(120)) { _ in .success }
        sender.answerAll(with: .success)
        #expect(sender.send() == 16)
        #expect(sender.nextDeadline == sender.now.advanced(by: .seconds(10)))
    }

    @Test func `a gateway that refused all for a while is soon used again`() {
        let sender = Sender()
        var limit = Limit(perSecond: 100)
        sender.run(.seconds(30)) { limit.judge(at: $0) }
        sender.run(.seconds(30)) { _ in .throttle }
        let before = sender.tally[.accepted]
        sender.run(.seconds(60)) { limit.judge(at: $0) }
        #expect(sender.tally[.accepted] - before > 60 * 100 / 2)
    }

    @Test func `a burst of refusals leaves more than a few requests a second`() {
        let sender = Sender(concurrency: 16, latency: .milliseconds(30))
        sender.run(.seconds(1)) { _ in .success }
        var refusals = 100
        sender.run(.seconds(5)) { _ in
            refusals -= 1
            return refusals >= 0 ? .throttle : .success
        }
        #expect(refusals < 0)
        #expect(sender.run(.seconds(10)) { _ in .success } > 100)
    }

    @Test func `concurrency suffices for the rate however long answers take`() {
        let sender = Sender(latency: .milliseconds(500))
        var limit = Limit(perSecond: 40)
        sender.run(.seconds(300)) { limit.judge(at: $0) }
        #expect(sender.tally.throttled > 20, "the concurrency is halved again and again")
        #expect(sender.tally[.accepted] > 300 * 40 * 9 / 10)
    }

    @Test func `what waits for its turn too long is skipped, and costs no turn`() {
        let sender = Sender(messages: 500)
        sender.throttle()
        sender.run(.seconds(130)) { _ in .throttle }
        #expect(sender.tally[.skipped] == 500)
        #expect(sender.tally.codes == ["smspipe.EXPIRED": 500])
        sender.read(1)
        #expect(sender.run(.seconds(5)) { _ in .success } == 1)
    }

    @Test func `a paced run that is told to end sends what it can until the drain time is over`() {
        let sender = Sender(messages: 500)
        sender.throttle()
        sender.signal()
        let sent = sender.run(.seconds(11)) { _ in .throttle }
        #expect(sent > 1)
        #expect(sender.tally[.skipped] == 500)
        #expect(sender.nextDeadline == nil)
    }
}

/// A token bucket of a few.
private struct Limit {
    let perSecond: Double
    private var tokens = 5.0
    private var last = Instant(nanoseconds: 0)

    init(perSecond: Double) {
        self.perSecond = perSecond
    }

    mutating func judge(at now: Instant) -> CodeClass {
        tokens = min(5, tokens + perSecond * (last.duration(to: now) / .seconds(1)))
        last = now
        guard tokens >= 1 else { return .throttle }
        tokens -= 1
        return .success
    }
}

/// An engine with messages of a batch each, and the time.
private final class Sender {
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private let latency: Duration
    private let keepsReading: Bool
    private var engine: Engine
    private var inFlight: [(id: RequestID, at: Instant)] = []
    private var output: [UInt8] = []

    /// Reads a number of messages, or as many as there is room for all the time.
    init(messages: Int? = nil, concurrency: Int = 64, latency: Duration = .milliseconds(10)) {
        var configuration = Engine.Configuration(runID: "r")
        configuration.batchSize = 1
        configuration.window = 1000
        configuration.concurrency = concurrency
        engine = Engine(configuration, seed: 1)
        self.latency = latency
        keepsReading = messages == nil
        read(messages ?? 500)
    }

    var tally: Tally { engine.tally }
    var nextDeadline: Instant? { engine.nextDeadline() }

    func read(_ count: Int) {
        let line = "{\"PhoneNumber\":\"13900000000\",\"SignName\":\"a\",\"TemplateCode\":\"T\"}\n"
        engine.chunkArrived(.parsing(String(repeating: line, count: count)), at: now)
    }

    func signal() { engine.signalArrived(15, at: now) }

    func pass(_ time: Duration) { now = now.advanced(by: time) }

    /// Sends all that may leave now.
    func send() -> Int {
        output.removeAll(keepingCapacity: true)
        engine.takeOutput(into: &output, upTo: .max)
        if keepsReading, engine.stop == nil, engine.room >= 500 { read(500) }
        engine.deadlineReached(at: now)
        var count = 0
        while let request = engine.nextRequest(at: now, sendDate: 20_260_101) {
            inFlight.append((request.id, now.advanced(by: latency)))
            count += 1
        }
        while let id = engine.nextAbandoned(at: now) {
            inFlight.removeAll { $0.id == id }
            engine.unknown(id, .timeout, at: now)
        }
        return count
    }

    func answer(with codeClass: CodeClass, retryAfter: Duration? = nil) {
        let answer = Answer(codeClass: codeClass, code: "C", message: "", retryAfter: retryAfter)
        engine.answered(inFlight.removeFirst().id, answer, at: now)
    }

    func answerAll(with codeClass: CodeClass, retryAfter: Duration? = nil) {
        while !inFlight.isEmpty { answer(with: codeClass, retryAfter: retryAfter) }
    }

    /// Has all requests in flight refused.
    func throttle(retryAfter: Duration? = nil) {
        _ = send()
        pass(latency)
        answerAll(with: .throttle, retryAfter: retryAfter)
    }

    /// Runs for a time, each request answered after the latency as is decided when it is.
    ///
    /// - Returns: How many requests left.
    @discardableResult
    func run(_ time: Duration, _ judge: (Instant) -> CodeClass) -> Int {
        let end = now.advanced(by: time)
        var count = send()
        while true {
            let deadline = engine.nextDeadline()
            guard let next = [deadline, inFlight.first?.at].compactMap({ $0 }).min(), next <= end else { break }
            now = max(now, next)
            while let first = inFlight.first, first.at <= now { answer(with: judge(now)) }
            count += send()
        }
        now = end
        return count
    }
}
