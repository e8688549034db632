// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// Some processes that always have something to send, and a gateway with a token bucket in front of it; time is a number.
///
/// The processes are engines as the program runs them: refused requests back off, a batch with a bad message is split.
struct SharedGateway {
    /// A gateway and who sends to it.
    struct Setting: CustomStringConvertible, Sendable {
        var processes: Int
        var requestsPerSecond: Double
        var burst: Double
        var latency: Duration
        var saysRetryAfter = false
        /// The most requests in flight of each process.
        var concurrency = 64

        var description: String {
            "K=\(processes) Q=\(Int(requestsPerSecond)) burst=\(Int(burst)) latency=\(latency)"
                + (saysRetryAfter ? " retry-after" : "")
        }
    }

    /// What came of it, once the start was over.
    struct Result {
        /// Accepted requests by those that the gateway could have taken.
        var utilisation: Double
        /// Refused requests by all.
        var refusedShare: Double
        /// The least that one process had, by an equal part.
        var smallestShare: Double
        /// How often an engine was called for nothing, by requests.
        var idleWakes: Double
    }

    private struct Event {
        enum Kind {
            case wake
            case arrive(RequestID, count: Int)
            case answer(RequestID, Answer)
        }

        let at: Instant
        let process: Int
        let kind: Kind
    }

    /// An engine cannot be in an array.
    private final class Process {
        var engine: Engine
        var wake: Instant?
        var accepted = 0.0
        var output: [UInt8] = []

        init(_ configuration: Engine.Configuration, seed: UInt64) {
            engine = Engine(configuration, seed: seed)
        }
    }

    private static let accepted = Answer(codeClass: .success, code: "OK", message: "OK", bizID: "1")
    private static let chunk = Chunk.parsing(
        (0..<50).map { "{\"PhoneNumber\":\"\(13_900_000_000 + $0)\",\"SignName\":\"a\",\"TemplateCode\":\"T\"}" }
            .joined(separator: "\n")
    )

    let setting: Setting
    let start: Duration
    let measured: Duration
    private var random: SeededGenerator
    private var processes: [Process] = []
    private var events = EventHeap<Event>()
    private var now = Instant(nanoseconds: 0)
    private var tokens: Double
    private var lastRefill = Instant(nanoseconds: 0)
    private var accepted = 0.0
    private var refused = 0.0
    private var wakes = 0.0
    private var idleWakes = 0.0

    /// - Parameters:
    ///   - setting: The gateway and who sends to it.
    ///   - start: How long nothing is counted.
    ///   - measured: How long it is counted then.
    ///   - seed: Decides all that is random.
    init(_ setting: Setting, start: Duration, measured: Duration, seed: UInt64) {
        self.setting = setting
        self.start = start
        self.measured = measured
        random = SeededGenerator(seed: seed)
        tokens = setting.burst
        var configuration = Engine.Configuration(runID: "r")
        configuration.batchSize = 2
        configuration.concurrency = setting.concurrency
        configuration.window = max(setting.requestsPerSecond > 100 ? 4000 : 400, 4 * setting.concurrency)
        configuration.linger = .zero
        configuration.deadline = .seconds(86_400)
        for index in 0..<setting.processes {
            processes.append(Process(configuration, seed: random.next()))
            let at = Instant(nanoseconds: Int64.random(in: 0...100_000_000, using: &random))
            events.insert(Event(at: at, process: index, kind: .wake), at: at)
        }
    }

    mutating func run() -> Result {
        let end = Instant(nanoseconds: (start + measured).nanoseconds)
        while let event = events.popFirst(), event.at < end { happen(event) }
        let fair = accepted / Double(setting.processes)
        return Result(
            utilisation: accepted / setting.requestsPerSecond / (measured / .seconds(1)),
            refusedShare: refused / max(1, accepted + refused),
            smallestShare: (processes.map(\.accepted).min() ?? 0) / max(1, fair),
            idleWakes: idleWakes / max(1, wakes),
        )
    }

    private mutating func happen(_ event: Event) {
        now = event.at
        let process = processes[event.process]
        switch event.kind {
        case .wake:
            guard process.wake == nil || process.wake == now else { return }
            process.wake = nil
            wakes += 1
            process.engine.deadlineReached(at: now)
            if !pump(event.process) { idleWakes += 1 }
        case .arrive(let id, let count):
            let answer = judge(event.process, count)
            schedule(event.process, .answer(id, answer))
        case .answer(let id, let answer):
            process.engine.answered(id, answer, at: now)
            _ = pump(event.process)
        }
    }

    /// Does what an engine wants done now.
    ///
    /// - Returns: Whether a request left.
    private mutating func pump(_ index: Int) -> Bool {
        let process = processes[index]
        process.output.removeAll(keepingCapacity: true)
        process.engine.takeOutput(into: &process.output, upTo: 1 << 20)
        while process.engine.room >= Self.chunk.messages.count { process.engine.chunkArrived(Self.chunk, at: now) }
        var hasSent = false
        while let request = process.engine.nextRequest(at: now, sendDate: 20_260_101) {
            hasSent = true
            schedule(index, .arrive(request.id, count: process.engine.head(of: request.id).count))
        }
        if let deadline = process.engine.nextDeadline(), process.wake != deadline {
            process.wake = deadline
            events.insert(Event(at: deadline, process: index, kind: .wake), at: max(deadline, now))
        }
        return hasSent
    }

    private mutating func schedule(_ index: Int, _ kind: Event.Kind) {
        let way = setting.latency / 2 * Double.random(in: 0.8...1.2, using: &random)
        let at = now.advanced(by: way)
        events.insert(Event(at: at, process: index, kind: kind), at: at)
    }

    private mutating func judge(_ index: Int, _ count: Int) -> Answer {
        tokens += Double(lastRefill.duration(to: now).nanoseconds) / 1e9 * setting.requestsPerSecond
        tokens = min(setting.burst, tokens)
        lastRefill = now
        let isCounted = now.nanoseconds >= start.nanoseconds
        guard tokens >= 1 else {
            if isCounted { refused += 1 }
            let wait = Duration.seconds((1 - tokens) / setting.requestsPerSecond)
            return Answer(
                codeClass: .throttle,
                code: "Throttling.User",
                message: "",
                retryAfter: setting.saysRetryAfter ? max(wait, .milliseconds(1)) : nil,
            )
        }
        tokens -= 1
        if isCounted {
            accepted += 1
            processes[index].accepted += 1
        }
        guard count > 1, random.oneIn(50) else { return Self.accepted }
        return Answer(codeClass: .message, code: "isv.MOBILE_NUMBER_ILLEGAL", message: "")
    }
}

/// A heap of events by their time, the one that was inserted first among equals.
struct EventHeap<Event> {
    private var nodes: [(at: Instant, number: Int, event: Event)] = []
    private var inserted = 0

    mutating func insert(_ event: Event, at instant: Instant) {
        inserted += 1
        nodes.append((instant, inserted, event))
        var child = nodes.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            nodes.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popFirst() -> Event? {
        guard !nodes.isEmpty else { return nil }
        nodes.swapAt(0, nodes.count - 1)
        let first = nodes.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < nodes.count && isBefore(child, least) {
                least = child
            }
            guard least != parent else { return first.event }
            nodes.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ one: Int, _ other: Int) -> Bool {
        (nodes[one].at, nodes[one].number) < (nodes[other].at, nodes[other].number)
    }
}
