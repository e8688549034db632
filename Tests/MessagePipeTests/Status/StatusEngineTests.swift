// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct StatusEngineTests {
    // MARK: - What is asked

    @Test func `asks for the number, day and BizId of a line`() throws {
        let bench = StatusBench()
        bench.read(StatusBench.line(phone: "+8613900000001", bizID: "7^0"))
        let lookUp = try #require(bench.inFlight.first)
        #expect(lookUp.phoneNumber == Array("13900000001".utf8))
        #expect(lookUp.bizID == "7^0")
        #expect(bench.asked == ["20260304 1"])
    }

    @Test(
        arguments: zip(
            [SendDetails.Status.delivered, .failed, .waiting, nil],
            ["delivered", "failed", "waiting", "waiting"],
        )
    )
    func `writes what the record says`(_ status: SendDetails.Status?, _ text: String) {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.answer(StatusBench.record(status))
        #expect(bench.statuses() == ["accepted \(text)"])
    }

    @Test(arguments: ["rejected", "invalid", "skipped", "planned"])
    func `asks nothing about what was never sent`(_ outcome: String) {
        let bench = StatusBench()
        bench.read(StatusBench.line(outcome, bizID: nil, sendDate: nil))
        #expect(bench.statuses() == ["\(outcome) null"])
        #expect(bench.tally.unsent + bench.tally.planned == 1)
        #expect(bench.tally.lookUps == 0)
    }

    @Test func `a line without a number or a day is passed on and told`() {
        let bench = StatusBench()
        bench.read(
            StatusBench.line(sendDate: nil),
            StatusBench.line(phone: "x"),
            StatusBench.line("unknown", bizID: nil, batchID: nil),
        )
        #expect(bench.statuses() == ["accepted null", "accepted null", "unknown null"])
        #expect(bench.tally.unsearchable.count == 3)
        #expect(bench.tally.unsearchable.first == 1)
        #expect(bench.tally.unknown == 1)
    }

    @Test func `with a BizId a record of another OutId or template is none of the line`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.answer(StatusBench.record(outID: "run-2"), StatusBench.record(template: "S"))
        bench.answer(StatusBench.record(outID: nil))
        #expect(bench.statuses() == ["accepted delivered"])
    }

    // MARK: - Unknown lines

    @Test func `an unknown line that is found by its BatchId becomes accepted`() {
        let bench = StatusBench()
        bench.read(StatusBench.line("unknown", bizID: nil))
        bench.answer(StatusBench.record(outID: "run-11"), StatusBench.record(.failed))
        let line = bench.output().first ?? ""
        #expect(
            line == """
                {"PhoneNumber":"13900000000","TemplateCode":"T","Outcome":"accepted","Code":"OK",\
                "Message":"Found by look-up.","BizId":null,"RequestId":null,"BatchId":"run-1","SendDate":"20260304",\
                "SendStatus":"failed","ErrCode":"DB:0141","ReceiveDate":"2026-03-04 10:00:09"}
                """
        )
        #expect(bench.tally.found == 1 && bench.tally.unknown == 0)
    }

    @Test func `an unknown line is looked for on all pages`() {
        let bench = StatusBench()
        bench.read(StatusBench.line("unknown", bizID: nil))
        let other = StatusBench.record(outID: "other")
        for page in 1...3 {
            #expect(bench.asked == ["20260304 \(page)"])
            bench.answer(page < 3 ? other : StatusBench.record(), total: 101)
        }
        #expect(bench.statuses() == ["accepted delivered"])
    }

    @Test func `one that is not found stays unknown`() {
        let bench = StatusBench()
        bench.read(StatusBench.line("unknown", bizID: nil))
        bench.answer()
        bench.answer()
        #expect(bench.statuses() == ["unknown null"])
        #expect(bench.tally.notFound == 1 && bench.tally.unknown == 1)
    }

    @Test func `one that brought its own OutId gets the record's status and stays unknown`() {
        let bench = StatusBench()
        bench.read(StatusBench.line("unknown", bizID: nil, members: #","OutId":"order""#))
        bench.answer(StatusBench.record(), StatusBench.record(outID: "order"))
        #expect(bench.statuses() == ["unknown delivered"])
        #expect(bench.tally.unknown == 1 && bench.tally.found == 0)
    }

    @Test func `of two records with one OutId nobody can tell which is whose`() {
        let bench = StatusBench()
        bench.read(StatusBench.line(bizID: nil, members: #","OutId":"order""#))
        bench.answer(StatusBench.record(outID: "order"), total: 60)
        bench.answer(StatusBench.record(.failed, outID: "order"), total: 60)
        #expect(bench.statuses() == ["accepted null"])
    }

    // MARK: - Days

    @Test func `what is not found on its day is asked for on the neighbouring ones`() {
        let bench = StatusBench()
        bench.today = 20_260_302
        bench.read(StatusBench.line(sendDate: "20260301"))
        bench.answer()
        #expect(bench.asked == ["20260302 1"])
        bench.answer()
        #expect(bench.asked == ["20260228 1"])
        bench.answer(StatusBench.record())
        #expect(bench.statuses() == ["accepted delivered"])
    }

    @Test func `a day that has not begun is not asked for`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.answer()
        #expect(bench.asked == ["20260303 1"])
        bench.answer()
        #expect(bench.statuses() == ["accepted null"])
    }

    // MARK: - Asking again

    @Test func `with a time to wait it asks again, less and less often, until the message is delivered`() {
        let bench = StatusBench(wait: .seconds(300))
        bench.read(StatusBench.line())
        var times: [Int64] = []
        for _ in 0..<8 {
            times.append(bench.now.nanoseconds / 1_000_000_000)
            bench.answer(StatusBench.record(.waiting))
            #expect(bench.output() == [])
            while bench.inFlight.isEmpty { bench.wait(.seconds(1)) }
        }
        #expect(times == [0, 1, 3, 7, 15, 31, 61, 91])
        bench.answer(StatusBench.record())
        #expect(bench.statuses() == ["accepted delivered"])
    }

    @Test func `the last question comes when the time is over, and its answer is written`() {
        let bench = StatusBench(wait: .seconds(10))
        bench.read(StatusBench.line())
        for _ in 0..<3 {
            bench.answer(StatusBench.record(.waiting))
            bench.wait(.seconds(8))
        }
        #expect(bench.statuses() == ["accepted waiting"])
        #expect(bench.tally.lookUps == 3)
        #expect(bench.inFlight.isEmpty)
    }

    @Test func `a record that is not visible yet is asked for again`() {
        let bench = StatusBench(wait: .seconds(10))
        bench.read(StatusBench.line())
        bench.answer()
        bench.answer()
        bench.wait(.seconds(1))
        bench.answer(StatusBench.record())
        #expect(bench.statuses() == ["accepted delivered"])
    }

    @Test func `lines keep their order`() {
        let bench = StatusBench(wait: .seconds(10), concurrency: 2)
        bench.read(StatusBench.line(), StatusBench.line(), StatusBench.line("rejected"))
        #expect(bench.asked.count == 2)
        bench.answer(StatusBench.record(.waiting))
        bench.answer(StatusBench.record())
        #expect(bench.output() == [])
        bench.wait(.seconds(1))
        bench.answer(StatusBench.record(.failed))
        #expect(bench.statuses() == ["accepted failed", "accepted delivered", "rejected null"])
    }

    // MARK: - Failures

    @Test func `a throttled look-up waits as it is told`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.refuse(.throttle, retryAfter: .seconds(3))
        bench.wait(.seconds(2))
        #expect(bench.inFlight.isEmpty)
        bench.wait(.seconds(3))
        bench.answer(StatusBench.record())
        #expect(bench.statuses() == ["accepted delivered"])
        #expect(bench.tally.throttled == 1)
    }

    @Test func `a look-up without an answer is made again`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.refuse(.ambiguous)
        bench.wait(.seconds(1))
        bench.wait(.seconds(11))
        #expect(bench.tally.lookUps == 3)
        bench.answer(StatusBench.record())
        #expect(bench.statuses() == ["accepted delivered"])
    }

    @Test func `one that fails for two minutes is given up, and others go on`() {
        let bench = StatusBench(concurrency: 1)
        bench.read(StatusBench.line(), StatusBench.line())
        bench.answer(StatusBench.record())
        for _ in 0..<200 where !bench.inFlight.isEmpty || bench.tally.unanswered == 0 {
            if !bench.inFlight.isEmpty { bench.refuse(.throttle) }
            bench.wait(.seconds(1))
        }
        #expect(bench.statuses() == ["accepted delivered", "accepted null"])
        #expect(bench.tally.unanswered == 1)
        #expect(bench.stops == [])
    }

    @Test func `a gateway that is gone for two minutes ends the run`() {
        let bench = StatusBench()
        bench.read(StatusBench.line(), StatusBench.line())
        bench.answer(StatusBench.record())
        bench.wait(.seconds(150))
        bench.wait(.seconds(10))
        #expect(bench.statuses() == ["accepted delivered", "accepted null"])
        #expect(bench.stops == [.unreachable(.noConnection("no answer came in time"))])
    }

    @Test func `a gateway that was never reached is given up after ten seconds`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        while bench.now < Instant(nanoseconds: 20_000_000_000) {
            if !bench.inFlight.isEmpty { bench.notSent() }
            bench.wait(.milliseconds(100))
        }
        #expect(bench.stops == [.unreachable(.noConnection("refused"))])
        #expect(bench.statuses() == ["accepted null"])
    }

    @Test func `a bad certificate ends the run at once`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.notSent(.certificate("expired"))
        #expect(bench.stops == [.unreachable(.certificate("expired"))])
        #expect(bench.statuses() == ["accepted null"])
    }

    @Test func `after a wrong key lines are passed on`() {
        let bench = StatusBench()
        bench.read(StatusBench.line(), StatusBench.line("unknown"))
        bench.refuse(.credentials, code: "InvalidAccessKeyId.NotFound")
        bench.answer(StatusBench.record(.waiting))
        bench.read(StatusBench.line(), "x", StatusBench.line("rejected"))
        #expect(bench.inFlight.isEmpty)
        #expect(
            bench.statuses() == ["accepted null", "accepted waiting", "accepted null", "absent null", "rejected null"]
        )
        #expect(bench.tally.unanswered == 2)
        #expect(bench.stops.count == 1)
    }

    @Test func `a time stamp that is too old is signed anew once`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.refuse(.stale)
        #expect(bench.asked.count == 1)
        bench.refuse(.stale)
        #expect(bench.statuses() == ["accepted null"])
        #expect(bench.stops.count == 1)
    }

    @Test func `a day that is refused counts as that, and the others are asked for`() {
        let bench = StatusBench(wait: .seconds(10))
        bench.read(StatusBench.line(), StatusBench.line())
        bench.refuse(.batch, code: "isv.INVALID_PARAMETERS")
        bench.answer(StatusBench.record())
        bench.answer()
        #expect(bench.statuses() == ["accepted null", "accepted delivered"])
        #expect(bench.tally.unanswered == 0 && bench.tally.refused == 1)
    }

    @Test func `a gateway that answers nothing but that it is busy is gone after two minutes, too`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        for _ in 0..<200 where bench.stops.isEmpty {
            if !bench.inFlight.isEmpty { bench.refuse(.ambiguous, code: "ServiceUnavailable") }
            bench.wait(.seconds(1))
        }
        #expect(bench.stops == [.unreachable(.noConnection("nothing but ServiceUnavailable"))])
    }

    // MARK: - What an earlier run has found

    /// A line with further members behind its own.
    private static func line(_ line: String, _ members: String) -> String { "\(line.dropLast()),\(members)}" }

    @Test func `what was found for good is not asked for again, and stays`() {
        let bench = StatusBench()
        let members = #""SendStatus":"failed","ErrCode":"E1","ReceiveDate":"2026-03-01 10:00:00""#
        let known = Self.line(StatusBench.line(), members)
        let rejected = Self.line(StatusBench.line("rejected"), #""ErrCode":"mine""#)
        bench.read(known, rejected)
        #expect(bench.inFlight.isEmpty && bench.tally.failed == 1 && bench.tally.unsent == 1)
        #expect(bench.output() == [known, rejected.dropLast() + #","SendStatus":null,"ReceiveDate":null}"#])
    }

    @Test func `what was found is replaced by what is found now, and kept where nothing is`() {
        let known = Self.line(StatusBench.line(), #""SendStatus":"waiting","ErrCode":null,"ReceiveDate":null"#)
        let bench = StatusBench()
        bench.read(known, known)
        bench.answer(StatusBench.record())
        bench.refuse(.account)
        #expect(bench.statuses() == ["accepted delivered", "accepted waiting"])
        #expect(bench.tally.delivered == 1 && bench.tally.unanswered == 1)
    }

    // MARK: - Whose record it is

    @Test func `a record of another number is none of the line`() {
        let bench = StatusBench()
        bench.read(StatusBench.line(phone: "13900000001"))
        for _ in 0..<2 { bench.answer(StatusBench.record()) }
        #expect(bench.statuses() == ["accepted null"])
    }

    @Test(arguments: [
        ("2026-03-03 23:55:00", "delivered"), ("2026-03-03 10:00:00", "null"), (nil, "null"),
    ])
    func `with an OutId of its own a neighbouring day counts only near midnight`(_ time: String?, _ status: String) {
        let bench = StatusBench()
        bench.read(StatusBench.line("unknown", bizID: nil, members: #","OutId":"daily""#))
        bench.answer()
        #expect(bench.asked == ["20260303 1"])
        var record = StatusBench.record(outID: "daily")
        record.sendDate = time
        bench.answer(record)
        #expect(bench.statuses() == ["unknown \(status)"])
    }

    @Test func `a second record with the OutId makes the first one nobody's`() {
        let bench = StatusBench(wait: .seconds(2))
        bench.read(StatusBench.line("unknown", bizID: nil, members: #","OutId":"daily""#))
        bench.answer(StatusBench.record(.waiting, outID: "daily"))
        bench.wait(.seconds(1))
        for _ in 0..<3 {
            if !bench.inFlight.isEmpty {
                bench.answer(StatusBench.record(outID: "daily"), StatusBench.record(outID: "daily"))
            }
            bench.wait(.seconds(1))
        }
        #expect(bench.statuses() == ["unknown null"])
    }

    // MARK: - Limits

    @Test func `no more look-ups leave than the rate allows`() {
        let bench = StatusBench(rate: 10)
        for _ in 0..<30 { bench.read(StatusBench.line()) }
        bench.wait(.seconds(1))
        #expect((9...12).contains(bench.tally.lookUps))
    }

    @Test func `credit is given back for all that was read`() {
        let bench = StatusBench()
        let line = StatusBench.line("rejected")
        bench.read("", "  ", line, "x", String(repeating: "y", count: 5000))
        #expect(bench.released == (0, 0))
        _ = bench.output()
        // Of a line that is too long the beginning is kept.
        #expect(bench.released == (3, line.utf8.count + 1 + 1024))
    }

    // MARK: - The end

    @Test func `the run ends when the input has and all lines are out`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.endInput()
        bench.answer(StatusBench.record())
        #expect(!bench.isFinished)
        _ = bench.output()
        #expect(bench.isFinished)
    }

    @Test func `after a signal answers are awaited, nothing more is asked, and lines come out with what is known`() {
        let bench = StatusBench(wait: .seconds(60), concurrency: 2)
        bench.read(StatusBench.line(), StatusBench.line(), StatusBench.line())
        bench.answer(StatusBench.record(.waiting))
        bench.engine.signalArrived(15, at: bench.now)
        bench.answer(StatusBench.record(.waiting))
        bench.answer(StatusBench.record())
        #expect(bench.inFlight.isEmpty)
        #expect(bench.statuses() == ["accepted waiting", "accepted waiting", "accepted delivered"])
        bench.endInput()
        #expect(bench.isFinished)
    }

    @Test func `after a signal nobody is awaited for longer than the drain time`() {
        let bench = StatusBench()
        bench.read(StatusBench.line())
        bench.engine.signalArrived(2, at: bench.now)
        bench.wait(.seconds(10))
        #expect(bench.statuses() == ["accepted null"])
        // The reader may be stuck.
        #expect(!bench.isFinished)
        bench.wait(.seconds(1))
        #expect(bench.isFinished)
    }

    @Test func `a closed output ends the run at once`() {
        let bench = StatusBench()
        bench.read(StatusBench.line(), StatusBench.line())
        bench.engine.outputClosed()
        bench.wait(.zero)
        while let id = bench.engine.nextAbandoned() { bench.engine.unanswered(id, .interrupted, at: bench.now) }
        #expect(bench.isFinished)
        #expect(bench.output() == [])
        #expect(bench.stops == [.outputClosed])
    }
}
