// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct ReceiptsEngineTests {
    static let report = #"{"phone_number":"13800000001","success":true,"biz_id":"1^0"}"#

    // MARK: - Lines

    @Test(arguments: [
        (#"[{"phone_number":"1","success":true}]"#, #"{"Type":"SmsReport","phone_number":"1","success":true}"# + "\n"),
        (#"[{"err_code":"X"}]"#, #"{"Type":"SmsReport","err_code":"X"}"# + "\n"),
        (#"[{"report_time":null}]"#, #"{"Type":"SmsReport","report_time":null}"# + "\n"),
        (#"[{"content":"a\n\"b\" \u00e9 退订"}]"#, #"{"Type":"SmsUp","content":"a\n\"b\" \u00e9 退订"}"# + "\n"),
        (#"[{"dest_code":"1"}]"#, #"{"Type":"SmsUp","dest_code":"1"}"# + "\n"),
        (#"[{"To":"1"}]"#, #"{"Type":null,"To":"1"}"# + "\n"),
        (#"[{"\u0054ype":"x","\u0073uccess":true}]"#, #"{"Type":"SmsReport","\u0073uccess":true}"# + "\n"),
        (#"[{"Type":"SmsUp","success":false}]"#, #"{"Type":"SmsReport","success":false}"# + "\n"),
        (
            "[{\"content\" :\r\n \"x\",\n\"a\":{\"b\" :[1,\n2]} }\n]",
            "{\"Type\":\"SmsUp\",\"content\":\"x\",\"a\":{\"b\" :[1,2]}}\n"
        ),
        (#" {"content":"alone"} "#, #"{"Type":"SmsUp","content":"alone"}"# + "\n"),
        (
            #"[{"content":"1"},{"content":"2"}]"#,
            "{\"Type\":\"SmsUp\",\"content\":\"1\"}\n{\"Type\":\"SmsUp\",\"content\":\"2\"}\n"
        ),
        ("[]", ""),
        ("[{}]", "{\"Type\":null}\n"),
    ])
    func `a push becomes lines with a type and the service's own fields`(body: String, lines: String) {
        let bench = ReceiptsBench()
        #expect(bench.push(body).refusal == nil)
        #expect(bench.output() == lines)
    }

    @Test(arguments: [
        "", "x", "[", "[1]", #"[{"content":"1"},2]"#, #"[{"content":"1"}]x"#, "null", #""a""#,
        "[{\"content\":\"a\nb\"}]",
    ])
    func `a push that is no array of objects is refused whole`(body: String) {
        let bench = ReceiptsBench()
        #expect(bench.push(body).refusal == .unreadable)
        #expect(bench.push(body).refusal == .unreadable)
        #expect(bench.output() == "" && bench.answered().isEmpty)
        #expect(bench.notices() == [.unreadablePush])
        #expect(bench.tally.unreadablePushes == 2)
    }

    // MARK: - Letting go

    @Test func `a push is answered when its lines are written, not when they are taken`() {
        let bench = ReceiptsBench()
        let first = bench.push("[\(Self.report)]").id
        #expect(bench.answered().isEmpty)
        #expect(bench.take() != "")
        let second = bench.push(#"[{"content":"x"}]"#).id
        #expect(bench.answered().isEmpty)
        bench.engine.outputWritten(at: bench.now)
        #expect(bench.answered() == [first: true])
        #expect(bench.output() != "")
        #expect(bench.answered() == [second: true])
    }

    @Test func `a repeat is answered without a line, but not before the first is written`() {
        let bench = ReceiptsBench()
        let first = bench.push("[\(Self.report)]").id
        let repeated = bench.push("[\(Self.report)]").id
        #expect(bench.answered().isEmpty)
        #expect(bench.take().split(separator: "\n").count == 1)
        let late = bench.push("[\(Self.report)]").id
        #expect(bench.answered().isEmpty && bench.take() == "")
        bench.engine.outputWritten(at: bench.now)
        #expect(bench.answered() == [first: true, repeated: true, late: true])
        let last = bench.push("[\(Self.report)]").id
        #expect(bench.answered() == [last: true])
        #expect(bench.tally.repeats == 3)
    }

    @Test(arguments: [
        (#"{"content":"a","dest_code":"1"}"#, #"{ "dest_code" : "1" , "content" : "\u0061" }"#, true),
        (#"{"content":"a","x":[1, 2]}"#, #"{"content":"a","x":[1,2]}"#, true),
        (#"{"content":"a"}"#, #"{"content":"b"}"#, false),
        (#"{"content":"a","x":{"a":"b c"}}"#, #"{"content":"a","x":{"a":"bc"}}"#, false),
        (#"{"content":"a","x":["\" ","b"]}"#, #"{"content":"a","x":["\"","b"]}"#, false),
        (#"{"content":"a","x":[" \\", " "]}"#, #"{"content":"a","x":[" \\"," "]}"#, true),
        (#"{"content":"a"}"#, #"{"content":"a","dest_code":"1"}"#, false),
        (#"{"content":"1"}"#, #"{"content":1}"#, false),
        (#"{"content":"a","b":"c"}"#, #"{"content":"ab","":"c"}"#, false),
        (#"{"success":true,"a":"b"}"#, #"{"success":false,"a":"b"}"#, false),
    ])
    func `a repeat is one that says the same`(one: String, other: String, isRepeat: Bool) {
        let bench = ReceiptsBench()
        _ = bench.push("[\(one)]")
        _ = bench.push("[\(other)]")
        #expect(bench.tally.repeats == (isRepeat ? 1 : 0))
        #expect(bench.output().split(separator: "\n").count == (isRepeat ? 1 : 2))
    }

    @Test func `a receipt is remembered for a day, and not for ever`() {
        let bench = ReceiptsBench()
        _ = bench.push("[\(Self.report)]")
        bench.wait(.seconds(86_399))
        _ = bench.push("[\(Self.report)]")
        #expect(bench.tally.repeats == 1)
        bench.wait(.seconds(3 * 86_400))
        _ = bench.push("[\(Self.report)]")
        #expect(bench.tally.repeats == 1 && bench.tally.reports == 0)
        _ = bench.output()
        #expect(bench.tally.reports == 2)
    }

    @Test func `a receipt of the evening is remembered the next afternoon`() {
        let bench = ReceiptsBench()
        _ = bench.push(#"[{"content":"morning"}]"#)
        bench.wait(.seconds(80_000))
        _ = bench.push("[\(Self.report)]")
        bench.wait(.seconds(10_000))
        _ = bench.push(#"[{"content":"next day"}]"#)
        bench.wait(.seconds(70_000))
        _ = bench.push("[\(Self.report)]")
        #expect(bench.tally.repeats == 1)
    }

    @Test func `memory is bounded, and it is told when that may let repeats through`() {
        let bench = ReceiptsBench(maximumRemembered: 20)
        for number in 0..<15 { _ = bench.push(#"[{"content":"\#(number)"}]"#) }
        for number in 0..<15 { _ = bench.push(#"[{"content":"\#(number)"}]"#) }
        #expect(bench.tally.repeats == 15 && bench.notices().isEmpty)
        for number in 15..<100 { _ = bench.push(#"[{"content":"\#(number)"}]"#) }
        #expect(bench.notices() == [.forgetsEarly])
        _ = bench.push(#"[{"content":"0"}]"#)
        #expect(bench.tally.repeats == 15)
    }

    @Test func `more than can be written is refused until it is`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        let long = String(repeating: "x", count: 7 << 20)
        for number in 0..<10 { #expect(bench.push(#"[{"content":"\#(number)\#(long)"}]"#).refusal == nil) }
        #expect(bench.push("[\(Self.report)]").refusal == .isFull)
        #expect(bench.ask().isEmpty, "queues are not asked for more either")
        #expect(bench.take() != "")
        #expect(bench.push("[\(Self.report)]").refusal == .isFull)
        bench.engine.outputWritten(at: bench.now)
        #expect(bench.push("[\(Self.report)]").refusal == nil)
        #expect(bench.ask() == [.receive])
    }

    // MARK: - The end

    @Test func `a signal lets what has come be written and answered, and nothing more come`() {
        let bench = ReceiptsBench()
        let taken = bench.push("[\(Self.report)]").id
        bench.engine.signalArrived(15, at: bench.now)
        #expect(bench.push(#"[{"content":"late"}]"#).refusal == .isEnding)
        #expect(!bench.isFinished)
        #expect(bench.output() != "")
        #expect(!bench.isFinished)
        #expect(bench.answered() == [taken: true])
        #expect(bench.isFinished && bench.endingSignal == 15)
    }

    @Test func `a signal waits for a stalled output no longer than the drain time`() {
        let bench = ReceiptsBench()
        _ = bench.push("[\(Self.report)]")
        _ = bench.take()
        bench.engine.signalArrived(15, at: bench.now)
        bench.wait(.seconds(9))
        #expect(!bench.isFinished)
        bench.wait(.seconds(1))
        #expect(bench.isFinished)
        #expect(bench.answered().isEmpty, "what is not written is not taken")
    }

    @Test(arguments: [true, false])
    func `what cannot be written is to come again`(isClosed: Bool) {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        bench.ask()
        bench.give([QueueMessage("h1", #"{"success":true}"#)])
        let first = bench.push("[\(Self.report)]").id
        _ = bench.take()
        let second = bench.push("[\(Self.report)]").id
        if isClosed {
            bench.engine.outputClosed(at: bench.now)
        } else {
            bench.engine.outputFailed("no room", at: bench.now)
        }
        #expect(bench.answered() == [first: false, second: false])
        #expect(bench.push(#"[{"content":"late"}]"#).refusal == .isEnding)
        #expect(bench.ask().isEmpty, "nothing is deleted")
        while let id = bench.nextAbandoned() {
            bench.engine.unanswered(id, .interrupted, at: bench.now)
        }
        #expect(bench.isFinished)
        #expect(bench.stops == [isClosed ? .outputClosed : .outputFailed("no room")])
    }

    @Test
    func `what is written is let go of though the output is closed then, and nothing cut short is told as a failure`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        bench.ask()
        bench.give([QueueMessage("h1", #"{"biz_id":"1"}"#)])
        bench.ask()
        _ = bench.output()
        bench.give([QueueMessage("h2", #"{"biz_id":"2"}"#)])
        _ = bench.take()
        bench.engine.outputClosed(at: bench.now)
        #expect(bench.ask() == [.delete(["h1"])])
        #expect(!bench.isFinished)
        bench.engine.deleted(bench.answering { _ in true }.id, at: bench.now)
        #expect(bench.isFinished && bench.tally.deleted == 1)

        let slow = ReceiptsBench([ReceiptsBench.reports])
        slow.ask()
        slow.giveToken()
        slow.ask()
        slow.give([QueueMessage("h1", #"{"biz_id":"1"}"#)])
        _ = slow.output()
        #expect(slow.ask() == [.delete(["h1"]), .receive])
        slow.engine.outputClosed(at: slow.now)
        slow.wait(.seconds(10))
        while let id = slow.nextAbandoned() { slow.engine.unanswered(id, .timeout, at: slow.now) }
        #expect(slow.isFinished && slow.notices().isEmpty)
    }

    // MARK: - Queues

    @Test func `a queue is asked with a token, and its messages deleted when their lines are written`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        #expect(bench.ask() == [.token])
        #expect(bench.ask().isEmpty)
        bench.giveToken()
        #expect(bench.ask() == [.receive])
        bench.give([QueueMessage("h1", #"{"biz_id":"1"}"#), QueueMessage("h2", #"{"biz_id":"2"}"#)])
        #expect(bench.ask() == [.receive])
        #expect(
            bench.take() == "{\"Type\":\"SmsReport\",\"biz_id\":\"1\"}\n{\"Type\":\"SmsReport\",\"biz_id\":\"2\"}\n"
        )
        #expect(bench.ask().isEmpty)
        bench.engine.outputWritten(at: bench.now)
        #expect(bench.ask() == [.delete(["h1", "h2"])])
        bench.engine.deleted(bench.answering { $0 != .receive }.id, at: bench.now)
        #expect(bench.tally.deleted == 2)
    }

    @Test func `a message that comes back gets no second line, and is deleted`() {
        let bench = ReceiptsBench([ReceiptsBench.replies])
        bench.ask()
        bench.giveToken()
        bench.ask()
        bench.give([QueueMessage("h1", #"{"content":"x"}"#)])
        #expect(bench.output() == "{\"Type\":\"SmsUp\",\"content\":\"x\"}\n")
        bench.ask()
        bench.engine.failed(bench.answering { $0 == .delete(["h1"]) }.id, "it answers X", at: bench.now)
        #expect(bench.notices() == [.failing(ReceiptsBench.replies, why: "it answers X")])
        bench.ask()
        bench.give([QueueMessage("h1b", #"{"content":"x"}"#)])
        #expect(bench.output() == "")
        #expect(bench.ask() == [.receive], "a deletion is not tried again at once")
        bench.wait(.seconds(2))
        #expect(bench.ask() == [.delete(["h1", "h1b"])])
        #expect(bench.tally.repeats == 1)
    }

    @Test func `a full queue is asked by several requests at once, an empty one by one`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        bench.ask()
        var number = 0
        func full() -> [QueueMessage] {
            (0..<16).map { _ in
                number += 1
                return QueueMessage("h\(number)", #"{"biz_id":"\#(number)"}"#)
            }
        }
        for expected in [2, 4, 8, 8] {
            bench.give(full())
            bench.ask()
            #expect(bench.inFlight.count { $0.call == .receive } == expected)
        }
        for _ in 0..<8 {
            bench.wait(.seconds(10))
            bench.give([])
        }
        #expect(bench.ask() == [.receive])
    }

    @Test func `an empty queue that does not wait is asked once a second`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        bench.ask()
        bench.give([])
        #expect(bench.ask().isEmpty)
        #expect(bench.nextDeadline == bench.now.advanced(by: .seconds(1)))
        bench.wait(.seconds(1))
        #expect(bench.ask() == [.receive])
    }

    @Test func `a message that cannot be read is left in the queue, and told once`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        for _ in 0..<2 {
            bench.ask()
            bench.give([
                QueueMessage(id: "5F-1", handle: "a", body: nil), QueueMessage("b", "no JSON"),
                QueueMessage("c", #"{"biz_id":"1"}"#),
            ])
        }
        _ = bench.output()
        #expect(bench.ask().contains(.delete(["c", "c"])))
        #expect(bench.notices() == [.unreadableMessage(ReceiptsBench.reports, id: "5F-1")])
        #expect(bench.tally.unreadableMessages == 4)
    }

    @Test func `a token is renewed before its end, once`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken(lifetime: 600)
        #expect(bench.ask() == [.receive])
        bench.wait(.seconds(479))
        #expect(bench.ask().isEmpty)
        bench.wait(.seconds(1))
        #expect(bench.ask() == [.token])
        #expect(bench.ask().isEmpty)
        bench.wait(.seconds(200))
        bench.give([])
        #expect(bench.ask().isEmpty, "with a token that has ended nothing is asked")
        bench.giveToken()
        #expect(bench.ask() == [.receive])
    }

    @Test func `a token that is refused is renewed at once, and a new one that is refused after a wait`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        bench.ask()
        bench.wait(.seconds(60))
        bench.engine.tokenRefused(bench.answering { $0 == .receive }.id, code: "InvalidSecurityToken", at: bench.now)
        #expect(bench.ask() == [.token])
        bench.giveToken()
        #expect(bench.ask() == [.receive])
        #expect(bench.notices().isEmpty)
        bench.engine.tokenRefused(bench.answering { $0 == .receive }.id, code: "AccessDenied", at: bench.now)
        #expect(bench.ask().isEmpty)
        #expect(bench.notices() == [.failing(ReceiptsBench.reports, why: "it answers AccessDenied")])
        bench.wait(.seconds(2))
        #expect(bench.ask() == [.token])
    }

    @Test func `a queue that fails is told once in an outage, and tried again after waits that grow`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        for round in 0..<2 {
            for _ in 0..<8 {
                while bench.ask().isEmpty { bench.wait(.milliseconds(100)) }
                bench.engine.failed(bench.answering { $0 == .receive }.id, "HTTP 500", at: bench.now)
                #expect(bench.ask().isEmpty)
            }
            #expect(bench.notices() == [.failing(ReceiptsBench.reports, why: "HTTP 500")], "outage \(round)")
            while bench.ask().isEmpty { bench.wait(.milliseconds(100)) }
            if bench.inFlight.contains(where: { $0.call == .token }) {
                bench.giveToken()
                bench.ask()
            }
            bench.give([QueueMessage("h\(round)", #"{"biz_id":"\#(round)"}"#)])
        }
    }

    @Test func `queues that were never reached are given up after ten seconds, and a bad certificate at once`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        let reason = NotSentReason.noConnection("refused")
        while bench.stops.isEmpty, bench.now < Instant(nanoseconds: 60_000_000_000) {
            if !bench.ask().isEmpty { bench.engine.notSent(bench.answering { $0 == .token }.id, reason, at: bench.now) }
            bench.wait(.milliseconds(100))
        }
        #expect(bench.stops == [.unreachable(reason)])
        #expect(bench.now >= Instant(nanoseconds: 10_000_000_000) && bench.isFinished)

        let other = ReceiptsBench([ReceiptsBench.reports])
        other.ask()
        other.engine.notSent(other.answering { $0 == .token }.id, .certificate("expired"), at: other.now)
        #expect(other.stops == [.unreachable(.certificate("expired"))])
    }

    @Test func `once reached, queues are tried for ever`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        for _ in 0..<50 {
            while bench.ask().isEmpty { bench.wait(.seconds(1)) }
            while !bench.inFlight.isEmpty {
                bench.engine.notSent(bench.inFlight.removeFirst().id, .noConnection("refused"), at: bench.now)
            }
        }
        #expect(bench.stops.isEmpty && !bench.isFinished)
        #expect(bench.notices().count == 1)
    }

    @Test func `at the end, waiting requests are given up, and written messages still deleted`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        bench.ask()
        bench.give([QueueMessage("h1", #"{"biz_id":"1"}"#)])
        bench.ask()
        bench.engine.signalArrived(2, at: bench.now)
        let waiting = bench.answering { $0 == .receive }
        #expect(bench.nextAbandoned() == waiting.id)
        #expect(bench.nextAbandoned() == nil)
        bench.engine.unanswered(waiting.id, .interrupted, at: bench.now)
        #expect(!bench.isFinished)
        _ = bench.output()
        #expect(bench.ask() == [.delete(["h1"])])
        #expect(!bench.isFinished)
        bench.engine.deleted(bench.answering { _ in true }.id, at: bench.now)
        #expect(bench.isFinished && bench.notices().isEmpty)
    }

    @Test func `deletions that fail are told once, and tried again for longer and longer`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken(lifetime: 86_400)
        bench.ask()
        bench.give([QueueMessage("h1", #"{"biz_id":"1"}"#)])
        _ = bench.output()
        var times: [Instant] = []
        while times.count < 12 {
            bench.wait(.milliseconds(100))
            bench.ask()
            guard bench.inFlight.contains(where: { $0.call == .delete(["h1"]) }) else { continue }
            times.append(bench.now)
            bench.engine.failed(bench.answering { $0 == .delete(["h1"]) }.id, "HTTP 500", at: bench.now)
        }
        #expect(times[0].duration(to: times[11]) > .seconds(20))
        #expect(bench.notices() == [.failing(ReceiptsBench.reports, why: "HTTP 500")])
    }

    @Test func `a deletion that fails at the end is tried again, and one whose line is late is made`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.giveToken()
        bench.ask()
        bench.give([QueueMessage("h1", #"{"biz_id":"1"}"#)])
        _ = bench.take()
        bench.engine.signalArrived(15, at: bench.now)
        bench.wait(.seconds(11))
        // The output was stalled.
        bench.engine.outputWritten(at: bench.now)
        #expect(bench.ask() == [.delete(["h1"])])
        bench.engine.failed(bench.answering { $0 != .receive }.id, "HTTP 500", at: bench.now)
        #expect(!bench.isFinished)
        bench.wait(.seconds(2))
        #expect(bench.ask() == [.delete(["h1"])])
        bench.engine.deleted(bench.answering { $0 != .receive }.id, at: bench.now)
    }

    @Test func `a request is given up when its time is over: a waiting one later`() {
        let bench = ReceiptsBench([ReceiptsBench.reports])
        bench.ask()
        bench.wait(.seconds(10))
        let token = bench.answering { $0 == .token }
        #expect(bench.nextAbandoned() == token.id)
        bench.engine.unanswered(token.id, .timeout, at: bench.now)
        while bench.ask().isEmpty { bench.wait(.seconds(1)) }
        bench.giveToken()
        bench.ask()
        bench.wait(.seconds(19))
        #expect(bench.nextAbandoned() == nil)
        bench.wait(.seconds(1))
        #expect(bench.nextAbandoned() == bench.answering { $0 == .receive }.id)
    }

    @Test(
        arguments: [
            ("Alicom-Queue-1092397003988387-SmsReport", ReceiptType.report), ("x-SmsUp", .reply), ("SmsUp", nil),
            ("Alicom-Queue-1-", nil), ("a/b-SmsUp", nil), ("", nil), ("a b-SmsReport", nil), ("队-SmsUp", nil),
        ] as [(String, ReceiptType?)]
    )
    func `a queue's name tells what it holds`(text: String, type: ReceiptType?) {
        #expect(QueueName(text)?.type == type)
    }

    // MARK: - At random

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `nothing is let go of before it is written, and nothing is written twice`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = ReceiptsBench([ReceiptsBench.reports, ReceiptsBench.replies], seed: seed)
        var written: [String] = []
        var taken: [String] = []
        // What each push and message has to have written, and the queue as it is.
        var pushes: [UInt64: [String]] = [:]
        var queue: [String: String] = [:]
        var handles: [String: String] = [:]
        for step in 0..<400 {
            switch Int.random(in: 0..<9, using: &random) {
            case 0, 1:
                let texts = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                    "\(Int.random(in: 0..<60, using: &random))"
                }
                let body = "[" + texts.map { "{\"content\":\"p\($0)\"}" }.joined(separator: ",") + "]"
                let (id, refusal) = bench.push(body)
                try #require(refusal == nil)
                pushes[id] = texts.map { "p\($0)" }
            case 2: queue["m\(Int.random(in: 0..<60, using: &random))"] = ""
            case 3:
                let text = bench.take()
                if !text.isEmpty { taken.append(text) }
            case 4 where !taken.isEmpty:
                written.append(contentsOf: taken.removeFirst().split(separator: "\n").map(String.init))
                bench.engine.outputWritten(at: bench.now)
            case 5: bench.wait(.milliseconds(Int64.random(in: 0..<3000, using: &random)))
            default:
                bench.ask()
                guard !bench.inFlight.isEmpty else { break }
                let index = Int.random(in: 0..<bench.inFlight.count, using: &random)
                let request = bench.inFlight.remove(at: index)
                if Int.random(in: 0..<6, using: &random) == 0 {
                    bench.engine.unanswered(request.id, .timeout, at: bench.now)
                    break
                }
                switch request.call {
                case .token: bench.engine.tokenArrived(request.id, lifetime: 100, at: bench.now)
                case .receive:
                    let given = queue.keys.sorted().prefix(Int.random(in: 0...16, using: &random)).map { text in
                        let handle = "\(text)-\(step)"
                        handles[handle] = text
                        return QueueMessage(handle, "{\"content\":\"\(text)\"}")
                    }
                    bench.engine.received(request.id, given, at: bench.now)
                case .delete(let deleted):
                    for handle in deleted {
                        let text = try #require(handles[handle])
                        #expect(
                            written.contains { $0.contains("\"\(text)\"") },
                            "seed \(seed): \(text) is deleted unwritten"
                        )
                        queue[text] = nil
                    }
                    bench.engine.deleted(request.id, at: bench.now)
                }
            }
            for (id, isTaken) in bench.answered() {
                #expect(isTaken)
                for text in try #require(pushes[id]) {
                    #expect(
                        written.contains { $0.contains("\"\(text)\"") },
                        "seed \(seed): \(text) is answered unwritten"
                    )
                }
            }
        }
        #expect(Set(written).count == written.count, "seed \(seed): a line is written twice")
    }
}
