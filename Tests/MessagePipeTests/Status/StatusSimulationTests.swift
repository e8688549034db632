// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct StatusSimulationTests {
    @Test func `every line comes out once, in order and truly, whatever happens`() {
        var seen: Set<String> = []
        var failures = 0
        for seed in Seed.each(SimulationTests.runCount) {
            let simulation = StatusSimulation(seed: seed)
            do {
                try simulation.run()
                seen.formUnion(simulation.seen)
            } catch {
                failures += 1
                Issue.record(error)
            }
            if failures == 10 { break }
        }
        guard Seed.chosen == nil else { return }
        let all = ["delivered", "failed", "waiting", "null", "found", "stopped", "signal", "closed", "pages"]
        #expect(all.allSatisfy(seen.contains), "the simulated world is poor: \(seen)")
    }
}

/// A random input against a random gateway, each line with a record that tells where it came from.
private final class StatusSimulation {
    struct Failure: Error, CustomStringConvertible {
        let seed: UInt64
        let what: String
        var description: String { "seed \(seed): \(what)" }
    }

    /// What is true of a line.
    struct Truth {
        var text = ""
        var isSent = false
        var isUnknown = false
        var bizID: String?
        var outID = ""
        var own: UInt32 = 0
        /// The day that the service has filed it under; `nil` if it has no record.
        var filed: UInt32?
        var visibleAt: Int64 = 0
        var receivedAt: Int64 = 0
        var status = SendDetails.Status.delivered
        var arrivedAt: Int64 = 0
        /// How many records of others stand before it.
        var others = 0
    }

    /// What an answer will bring, and when.
    struct Pending {
        var at: Int64
        var lookUp: StatusEngine.LookUp
        var truth: Int
    }

    static let second: Int64 = 1_000_000_000
    static let days: [UInt32] = [20_260_227, 20_260_228, 20_260_301]

    let seed: UInt64
    var generator: SeededGenerator
    var engine: StatusEngine
    var truths: [Truth] = []
    var pending: [Pending] = []
    var now: Int64 = 0
    var output: [String] = []
    var seen: Set<String> = []
    let wait: Int64
    let concurrency: Int
    /// One in how many look-ups fails; 0 for none.
    let failing: Int
    let wrongKeyAt: Int64
    let signalAt: Int64
    let closedAt: Int64
    var isStopped = false

    init(seed: UInt64) {
        self.seed = seed
        var generator = SeededGenerator(seed: seed)
        wait = generator.pick([0, 0, 5, 60, 300]) * Self.second
        concurrency = generator.pick([1, 3, 64])
        failing = generator.pick([0, 0, 3, 10])
        wrongKeyAt = generator.oneIn(8) ? Int64.random(in: 0..<20, using: &generator) * Self.second : .max
        signalAt = generator.oneIn(8) ? Int64.random(in: 0..<20, using: &generator) * Self.second : .max
        closedAt = generator.oneIn(12) ? Int64.random(in: 0..<20, using: &generator) * Self.second : .max
        engine = StatusEngine(
            wait: .nanoseconds(wait),
            concurrency: concurrency,
            maximumLookUpsPerSecond: generator.oneIn(4) ? 50 : nil,
            timeout: .seconds(10),
            seed: seed,
        )
        self.generator = generator
    }

    func failed(_ what: String) -> Failure { Failure(seed: seed, what: what) }

    // MARK: - The run

    func run() throws {
        let lineCount = Int.random(in: 0...40, using: &generator)
        for index in 0..<lineCount { truths.append(makeTruth(index)) }
        var arrived = 0
        var splitter = LineSplitter(maximumLineBytes: 1 << 20)
        var parser = PlainLineParser(maximumLineBytes: 1 << 20)
        var isInputEnded = false
        for _ in 0..<200_000 {
            if signalAt <= now, !isStopped {
                (isStopped, isInputEnded) = (true, true)
                seen.insert("signal")
                engine.signalArrived(15, at: instant)
                engine.inputEnded()
            }
            if closedAt <= now, !isStopped {
                (isStopped, isInputEnded) = (true, true)
                seen.insert("closed")
                engine.outputClosed()
                engine.inputEnded()
            }
            if !isInputEnded, arrived < lineCount {
                let count = min(Int.random(in: 0...10, using: &generator), lineCount - arrived)
                let text = truths[arrived..<(arrived + count)].map { $0.text + "\n" }.joined()
                for index in arrived..<(arrived + count) { truths[index].arrivedAt = now }
                arrived += count
                let block = splitter.append(Array(text.utf8))
                engine.chunkArrived(parser.parse(block, lines: block.lines.indices, reusing: Chunk()), at: instant)
            } else if !isInputEnded {
                isInputEnded = true
                engine.inputEnded()
            }
            try ask()
            while let id = engine.nextAbandoned() {
                guard let index = pending.firstIndex(where: { $0.lookUp.id == id }) else {
                    throw failed("what is not under way is given up")
                }
                pending.remove(at: index)
                engine.unanswered(id, .timeout, at: instant)
            }
            var bytes: [UInt8] = []
            engine.takeOutput(into: &bytes, upTo: .max)
            output += String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            if engine.isFinished, isInputEnded {
                try check(arrived)
                return
            }
            step(isReading: !isInputEnded)
        }
        throw failed("the run does not end")
    }

    private var instant: Instant { Instant(nanoseconds: now) }

    /// Moves the clock to what comes next, and lets it happen.
    private func step(isReading: Bool) {
        let deadline = engine.nextDeadline()
        var times = pending.map(\.at)
        if let deadline { times.append(deadline.nanoseconds) }
        if isReading { times.append(now + Int64.random(in: 0...Self.second, using: &generator)) }
        if !isStopped { times += [signalAt, closedAt] }
        now = max(now, times.min() ?? now)
        if let deadline, deadline.nanoseconds <= now { engine.deadlineReached(at: instant) }
        if let index = pending.indices.min(by: { pending[$0].at < pending[$1].at }), pending[index].at <= now {
            answer(pending.remove(at: index))
        }
    }

    private func ask() throws {
        guard let today = SendDate(number: Self.days[2]) else { return }
        while let lookUp = engine.nextLookUp(at: instant, today: today) {
            let number = Int(String(decoding: lookUp.phoneNumber, as: UTF8.self)) ?? 0
            let index = number - 13_900_000_000
            guard truths.indices.contains(index), truths[index].isSent else { throw failed("nobody is asked about") }
            let day = lookUp.sendDate.number
            guard Self.days.contains(day) else { throw failed("a day that is not near") }
            guard lookUp.bizID == truths[index].bizID else { throw failed("another BizId") }
            if lookUp.page > 1 { seen.insert("pages") }
            let delay = Int64.random(in: 0...Self.second / 5, using: &generator)
            pending.append(Pending(at: now + delay, lookUp: lookUp, truth: index))
            guard pending.count <= concurrency else { throw failed("too many look-ups at once") }
        }
    }

    private func answer(_ answered: Pending) {
        let id = answered.lookUp.id
        engine.connected()
        if now >= wrongKeyAt {
            isStopped = true
            seen.insert("stopped")
            engine.refused(id, Answer(codeClass: .credentials, code: "InvalidAccessKeyId", message: ""), at: instant)
            return
        }
        if failing > 0, generator.oneIn(failing) {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: engine.refused(id, Answer(codeClass: .throttle, code: "Throttling", message: ""), at: instant)
            case 1: engine.refused(id, Answer(codeClass: .ambiguous, code: "isp.X", message: ""), at: instant)
            case 2: engine.notSent(id, .brokenWhileSending, at: instant)
            default: engine.unanswered(id, .connectionLost, at: instant)
            }
            return
        }
        let truth = truths[answered.truth]
        let other = SendDetails.Record(phoneNumber: "", status: .failed, templateCode: "T", outID: "other")
        var records = answered.lookUp.bizID == nil ? Array(repeating: other, count: truth.others) : []
        if truth.filed == answered.lookUp.sendDate.number, truth.visibleAt <= now {
            let status = truth.receivedAt <= now ? truth.status : .waiting
            records.append(
                SendDetails.Record(
                    phoneNumber: "",
                    status: status,
                    templateCode: "T",
                    outID: truth.outID,
                    receiveDate: status == .waiting ? nil : "date",
                    errorCode: status == .waiting ? nil : "E\(answered.truth)",
                )
            )
        }
        let page = records.dropFirst((answered.lookUp.page - 1) * 50).prefix(50)
        let total = generator.oneIn(2) ? records.count : nil
        engine.answered(id, SendDetails(totalCount: total, records: Array(page)), at: instant)
    }

    // MARK: - Truth

    private func makeTruth(_ index: Int) -> Truth {
        var truth = Truth()
        let outcome = generator.pick(["accepted", "accepted", "accepted", "unknown", "rejected", "skipped", "planned"])
        truth.isSent = outcome == "accepted" || outcome == "unknown"
        truth.isUnknown = outcome == "unknown"
        truth.own = Self.days[Int.random(in: 1...2, using: &generator)]
        truth.outID = "run-\(index)"
        if outcome == "accepted", !generator.oneIn(5) { truth.bizID = "\(index)^0" }
        if truth.isSent, !generator.oneIn(5) {
            truth.filed = generator.oneIn(4) ? Self.days[Int.random(in: 1...2, using: &generator)] : truth.own
        }
        truth.visibleAt = generator.oneIn(3) ? Int64.random(in: 0...10, using: &generator) * Self.second : 0
        truth.receivedAt = truth.visibleAt + Int64.random(in: 0...400, using: &generator) * Self.second
        if generator.oneIn(3) { truth.receivedAt = truth.visibleAt }
        truth.status = generator.pick([.delivered, .failed])
        truth.others = generator.oneIn(6) ? Int.random(in: 0...130, using: &generator) : 0
        let bizID = truth.bizID.map { "\"\($0)\"" } ?? "null"
        truth.text = """
            {"PhoneNumber":\(13_900_000_000 + index),"TemplateCode":"T","Outcome":"\(outcome)","BizId":\(bizID),\
            "BatchId":"run-\(index)","SendDate":"\(truth.own)"}
            """
        return truth
    }

    private func check(_ arrived: Int) throws {
        if now >= closedAt, seen.contains("closed") {
            guard pending.isEmpty else { throw failed("look-ups are left") }
            return
        }
        guard output.count == arrived else { throw failed("\(output.count) lines for \(arrived)") }
        for (index, line) in output.enumerated() {
            let truth = truths[index]
            guard Bench.member("PhoneNumber", of: line) == String(13_900_000_000 + index) else {
                throw failed("line \(index) is not in its place")
            }
            let status = Bench.member("SendStatus", of: line)
            seen.insert(status)
            let receipt = truth.status == .delivered ? "delivered" : "failed"
            let isFinal = status == "delivered" || status == "failed"
            if status != "null", truth.filed == nil || truth.visibleAt > now { throw failed("found what is not there") }
            if isFinal, status != receipt || truth.receivedAt > now { throw failed("\(status) is not true") }
            if isFinal, Bench.member("ErrCode", of: line) != "E\(index)" { throw failed("the record of another") }
            let outcome = Bench.member("Outcome", of: line)
            if truth.isUnknown {
                let expected = status == "null" ? "unknown" : "accepted"
                guard outcome == expected else { throw failed("\(outcome) \(status)") }
                if outcome == "accepted" { seen.insert("found") }
            }
            // Where nothing goes wrong, whoever could be found was, and was asked about to the end.
            guard failing == 0, !isStopped, truth.isSent, truth.filed != nil else { continue }
            let end = truth.arrivedAt + wait
            if status == "null", truth.visibleAt <= end { throw failed("line \(index) was not found") }
            if !isFinal, truth.receivedAt <= end { throw failed("line \(index) was not waited for") }
        }
        let tally = engine.tally
        let told =
            tally.delivered + tally.failed + tally.waiting + tally.notFound + tally.unanswered + tally.unsent
            + tally.planned
        guard tally.lines == arrived, told == arrived else { throw failed("the tally is wrong: \(tally)") }
    }
}
