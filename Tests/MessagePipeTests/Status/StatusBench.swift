// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

/// A status engine on the bench: a test feeds it lines and answers, moves its clock, and looks at what it asks.
final class StatusBench {
    static let today: UInt32 = 20_260_304

    var engine: StatusEngine
    var now = Instant(nanoseconds: 0)
    /// The look-ups under way, oldest first.
    var inFlight: [StatusEngine.LookUp] = []
    var today: UInt32 = StatusBench.today
    private var splitter = LineSplitter(maximumLineBytes: 4096)
    private var parser = PlainLineParser(maximumLineBytes: 4096)

    init(
        wait: Duration = .zero,
        concurrency: Int = 64,
        rate: Double? = nil,
        seed: UInt64 = 1,
    ) {
        engine = StatusEngine(
            wait: wait,
            concurrency: concurrency,
            maximumLookUpsPerSecond: rate,
            timeout: .seconds(10),
            seed: seed,
        )
    }

    var tally: StatusTally { engine.tally }
    var stops: [StopReason] { engine.stops }
    var isFinished: Bool { engine.isFinished }
    var released: (messages: Int, bytes: Int) { engine.released }

    // MARK: - Input

    /// A response line; a `nil` member is null.
    static func line(
        _ outcome: String = "accepted",
        phone: String = "13900000000",
        bizID: String? = "1^0",
        batchID: String? = "run-1",
        sendDate: String? = "20260304",
        members: String = "",
    ) -> String {
        let quoted = { (text: String?) in text.map { "\"\($0)\"" } ?? "null" }
        return """
            {"PhoneNumber":"\(phone)","TemplateCode":"T"\(members),"Outcome":"\(outcome)","Code":"C","Message":"M",\
            "BizId":\(quoted(bizID)),"RequestId":null,"BatchId":\(quoted(batchID)),"SendDate":\(quoted(sendDate))}
            """
    }

    func read(_ lines: String...) {
        let block = splitter.append(Array(lines.map { $0 + "\n" }.joined().utf8))
        engine.chunkArrived(parser.parse(block, lines: block.lines.indices, reusing: Chunk()), at: now)
        run()
    }

    func endInput() { engine.inputEnded() }

    // MARK: - Time

    /// Moves the clock on, stopping at each deadline of the engine.
    func wait(_ duration: Duration) {
        let end = now.advanced(by: duration)
        while let deadline = engine.nextDeadline(), deadline <= end {
            now = max(now, deadline)
            engine.deadlineReached(at: now)
            while let id = engine.nextAbandoned() {
                inFlight.removeAll { $0.id == id }
                engine.unanswered(id, .timeout, at: now)
            }
            run()
        }
        now = end
    }

    /// Asks what may be asked now.
    func run() {
        guard let today = SendDate(number: today) else { return }
        while let lookUp = engine.nextLookUp(at: now, today: today) { inFlight.append(lookUp) }
    }

    // MARK: - Answers

    /// Takes out the oldest look-up; it is an issue if there is none.
    func take() -> StatusEngine.LookUp? {
        guard !inFlight.isEmpty else {
            Issue.record("nothing is asked")
            return nil
        }
        return inFlight.removeFirst()
    }

    static func record(
        _ status: SendDetails.Status? = .delivered,
        outID: String? = "run-1",
        template: String = "T",
    ) -> SendDetails.Record {
        SendDetails.Record(
            phoneNumber: "13900000000",
            status: status,
            templateCode: template,
            outID: outID,
            sendDate: "2026-03-04 10:00:00",
            receiveDate: status == .waiting ? nil : "2026-03-04 10:00:09",
            errorCode: status == .waiting ? nil : status == .failed ? "DB:0141" : "DELIVERED",
        )
    }

    func answer(_ records: SendDetails.Record..., total: Int? = nil) {
        guard let lookUp = take() else { return }
        engine.connected()
        engine.answered(lookUp.id, SendDetails(totalCount: total ?? records.count, records: records), at: now)
        run()
    }

    func refuse(_ codeClass: CodeClass, code: String = "code", retryAfter: Duration? = nil) {
        guard let lookUp = take() else { return }
        engine.connected()
        let answer = Answer(codeClass: codeClass, code: code, message: "text", retryAfter: retryAfter)
        engine.refused(lookUp.id, answer, at: now)
        run()
    }

    func notSent(_ reason: NotSentReason = .noConnection("refused")) {
        guard let lookUp = take() else { return }
        engine.notSent(lookUp.id, reason, at: now)
        run()
    }

    // MARK: - What comes of it

    /// What is asked, as `day page`.
    var asked: [String] { inFlight.map { "\($0.sendDate.number) \($0.page)" } }

    /// The lines that are due.
    func output() -> [String] {
        var bytes: [UInt8] = []
        engine.takeOutput(into: &bytes, upTo: .max)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// What the due lines say, as `outcome status`.
    func statuses() -> [String] {
        output().map { "\(Bench.member("Outcome", of: $0)) \(Bench.member("SendStatus", of: $0))" }
    }
}
