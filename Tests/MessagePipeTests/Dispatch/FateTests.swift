// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

/// What becomes of messages, for every class of answer and at every stage of a run.
struct FateTests {
    /// Where in a run an answer comes.
    enum Stage: CaseIterable {
        case first, afterSplit, duringDrain
    }

    struct Cell: CustomTestStringConvertible {
        let codeClass: CodeClass
        let stage: Stage
        let keepsInputOrder: Bool
        /// The fates of the two messages of the batch, as far as they are decided by the one answer.
        let fates: [String]
        /// How many requests are in flight or planned after it.
        let leavesRequests: Int

        var testDescription: String { "\(codeClass), \(stage), \(keepsInputOrder ? "input" : "completion") order" }
    }

    static let cells: [Cell] = {
        var cells: [Cell] = []
        for stage in Stage.allCases {
            for keepsInputOrder in [true, false] {
                func add(_ codeClass: CodeClass, _ fates: [String], leaves: Int = 0) {
                    cells.append(
                        Cell(
                            codeClass: codeClass,
                            stage: stage,
                            keepsInputOrder: keepsInputOrder,
                            fates: fates,
                            leavesRequests: leaves,
                        )
                    )
                }
                func both(_ fate: String) -> [String] { [fate, fate] }
                add(.success, both("accepted OK"))
                add(.message, [], leaves: 2)
                add(.batchOrMessage, both("rejected code.batchOrMessage"))
                add(.batch, both("rejected code.batch"))
                add(.credentials, both("skipped code.credentials"))
                add(.account, both("skipped code.account"))
                add(.throttle, [], leaves: 1)
                add(.stale, [], leaves: 1)
                add(.unknownRefusal, both("rejected code.unknownRefusal"))
                add(.ambiguous, [], leaves: 1)
            }
        }
        return cells
    }()

    /// A bench with one request of two messages in flight, at a stage of the run.
    static func bench(_ stage: Stage, keepsInputOrder: Bool = true) -> Bench {
        let bench = Bench {
            $0.keepsInputOrder = keepsInputOrder
            $0.batchSize = 4
            $0.concurrency = 1
        }
        switch stage {
        case .first:
            bench.read(count: 2)
            bench.flush()
        case .afterSplit:
            bench.read(count: 4)
            bench.answer(.message)
            bench.answer(.success)
            #expect(bench.fates() == ["accepted OK", "accepted OK"])
        case .duringDrain:
            bench.read(count: 2)
            bench.engine.signalArrived(15, at: bench.now)
            bench.run()
        }
        #expect(bench.inFlight.map(\.lines.count) == [2])
        return bench
    }

    @Test(arguments: cells)
    func `an answer's class decides what becomes of a batch`(cell: Cell) {
        let bench = Self.bench(cell.stage, keepsInputOrder: cell.keepsInputOrder)
        bench.answer(cell.codeClass)
        #expect(bench.fates() == cell.fates)
        let occupancy = bench.occupancy
        #expect(bench.inFlight.count + occupancy.waiting == cell.leavesRequests)
        #expect(occupancy.messages == 2 - cell.fates.count)
        // Whatever is left goes well, or is given up: the run ends.
        bench.endInput()
        bench.wait(.seconds(2))
        while let first = bench.inFlight.first {
            if first.call == .lookUp { bench.lookedUp(false) } else { bench.answer(.success) }
            bench.wait(.seconds(20))
        }
        #expect(bench.output().count == 2 - cell.fates.count)
        #expect(bench.isFinished)
        #expect(bench.occupancy == Engine.Occupancy())
    }

    @Test(arguments: Stage.allCases)
    func `a refusal for one message is traced to the culprit, the others are accepted`(stage: Stage) {
        let bench = Self.bench(stage)
        let culprit = bench.sent.last?.phones.last ?? ""
        bench.answerAll(.message, culprits: [culprit])
        #expect(bench.fates() == ["accepted OK", "rejected code.message"])
    }

    @Test(arguments: [(0, 99), (0, 1), (49, 50), (12, 87), (33, 34), (24, 74)])
    func `two culprits in a hundred take at most thirty requests`(first: Int, second: Int) {
        let bench = Bench()
        bench.read(count: 100)
        bench.answerAll(.message, culprits: [Bench.phone(first), Bench.phone(second)])
        #expect(bench.sent.count <= 30)
        let fates = bench.fates()
        #expect(fates.indices.filter { fates[$0] == "rejected code.message" } == [first, second])
        #expect(fates.count { $0 == "accepted OK" } == 98)
    }

    @Test func `splitting keeps the order of responses and makes a new BatchId for each request`() {
        let bench = Bench { $0.concurrency = 1 }
        bench.read(count: 8)
        bench.flush()
        bench.answerAll(.message, culprits: [Bench.phone(2)])
        let lines = bench.output()
        #expect(lines.map { Bench.member("PhoneNumber", of: $0) } == (0..<8).map(Bench.phone))
        #expect(Set(bench.sent.map { String(decoding: $0.head.outID, as: UTF8.self) }).count == bench.sent.count)
    }

    @Test(arguments: [CodeClass.batch, .account, .success])
    func `the gateway's text is repeated without the numbers and values of the request`(codeClass: CodeClass) {
        let bench = Bench()
        bench.read(
            #"""
            {"PhoneNumber":"+8613900000001","TemplateParam":{"code":"4711","name":"\u738b\u4e94","n":"10"}}
            {"PhoneNumber":"13900000002","TemplateParam":{"code":"471199","name":"x"}}
            """#
        )
        bench.flush()
        bench.answer(codeClass, message: "13900000001 王五 4711 471199, +8613900000002 n:10 x 1390000003 4711")
        let messages = bench.output().map { Bench.member("Message", of: $0) }
        #expect(messages == Array(repeating: "… … … …, +… n:10 x 1390000003 …", count: 2))
    }

    @Test(arguments: [
        ("cut in 1390000", "cut in …"), ("cut in SECR", "cut in …"), ("cut in SEC", "cut in SEC"),
        ("SECRETIVELY", "…IVELY"), ("SECRETVERY", "…"), ("6591234567 and 91234567", "6591234567 and 91234567"),
        ("to 1390000000199 or 139000000012", "to …99 or …2"), ("cut in +86139000", "cut in +86…"),
        ("", ""), ("OK", "OK"), (#"say \"hi\" or say "hi""#, "… or …"),
    ])
    func `a text that was cut, or repeats values in parts, tells none`(text: String, masked: String) {
        let bench = Bench()
        bench.read(
            #"{"PhoneNumber":"+8613900000001","TemplateParam":{"a":"SECRET","b":"RETVERY","c":"say \"hi\""}}"#
        )
        bench.flush()
        bench.answer(.batch, message: text)
        #expect(bench.output().map { Bench.member("Message", of: $0) } == [masked])
    }

    @Test func `without splitting a refusal for one message rejects the batch`() {
        let bench = Bench { $0.splits = false }
        bench.read(count: 3)
        bench.flush()
        bench.answer(.message)
        #expect(bench.fates() == Array(repeating: "rejected code.message", count: 3))
        #expect(bench.sent.count == 1)
    }

    @Test(arguments: [
        CodeClass.message, .batch, .batchOrMessage, .credentials, .account, .throttle, .stale, .ambiguous,
    ])
    func `an answer with a BizId never leads to a second request`(codeClass: CodeClass) {
        let bench = Bench()
        bench.read(count: 4)
        bench.flush()
        bench.answer(codeClass, bizID: "9^0")
        bench.wait(.seconds(60))
        #expect(bench.sent.count == 1)
        #expect(bench.output().map { Bench.member("Outcome", of: $0) } == Array(repeating: "accepted", count: 4))
    }

    @Test func `half of a split that ends in doubt is not sent again`() {
        let bench = Bench { $0.confirm = .zero }
        bench.read(count: 4)
        bench.flush()
        bench.answer(.message)
        bench.unknown()
        bench.answer(.success)
        #expect(
            bench.fates() == [
                "unknown smspipe.UNCONFIRMED", "unknown smspipe.UNCONFIRMED", "accepted OK", "accepted OK",
            ]
        )
        #expect(bench.sent.count == 3)
    }

    @Test(arguments: [
        ("", "", false), (",\"SignName\":\"甲\"", "", false), (",\"SignName\":\"乙\"", "", true),
        (",\"SmsUpExtendCode\":\"1\"", ",\"SmsUpExtendCode\":\"2\"", true),
        (",\"SmsUpExtendCode\":\"1\"", ",\"SmsUpExtendCode\":\"1\"", false),
    ])
    func `a refusal for a value that may differ is split only where it differs`(
        one: String,
        other: String,
        splits: Bool
    ) {
        let bench = Bench()
        bench.read(count: 1, from: 0, members: one)
        bench.read(count: 1, from: 1, members: other)
        bench.flush()
        #expect(bench.inFlight.map(\.lines) == [[1, 2]])
        bench.answer(.batchOrMessage)
        #expect(bench.inFlight.count == (splits ? 2 : 0))
        bench.answerAll()
        #expect(bench.fates() == Array(repeating: splits ? "accepted OK" : "rejected code.batchOrMessage", count: 2))
    }

    // MARK: - The account

    @Test(arguments: [CodeClass.credentials, .account])
    func `a refusal for the account stops everything that has not left`(codeClass: CodeClass) {
        let bench = Bench {
            $0.batchSize = 2
            $0.concurrency = 2
        }
        bench.read(count: 9)
        #expect(bench.inFlight.count == 2)
        bench.answer(codeClass, code: "no")
        #expect(bench.inFlight.count == 1)
        bench.read(count: 3, from: 100)
        bench.answer(.success)
        bench.endInput()
        let lines = bench.output()
        let skipped = "skipped no"
        #expect(
            lines.map(Bench.fate) == [skipped, skipped, "accepted OK", "accepted OK"]
                + Array(repeating: skipped, count: 8)
        )
        // Only the first two were in a request.
        #expect(lines[..<2].allSatisfy { Bench.member("RequestId", of: $0) != "null" })
        #expect(lines[4...].allSatisfy { Bench.member("RequestId", of: $0) == "null" })
        #expect(lines.filter { $0.contains("skipped") }.allSatisfy { Bench.member("SendDate", of: $0) == "null" })
        #expect(bench.sent.count == 2)
        #expect(bench.isFinished)
        guard case .credentials = bench.stop else {
            guard case .account = bench.stop, codeClass == .account else {
                Issue.record("stopped for \(String(describing: bench.stop))")
                return
            }
            return
        }
        #expect(codeClass == .credentials)
    }

    @Test func `a code nobody knows stops the account only when two batches have it in a row`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 1
        }
        bench.read(count: 5)
        bench.answer(.unknownRefusal)
        bench.answer(.success)
        bench.answer(.unknownRefusal)
        #expect(bench.stop == nil)
        bench.answer(.unknownRefusal)
        #expect(bench.stop != nil)
        #expect(
            bench.fates() == [
                "rejected code.unknownRefusal", "accepted OK", "rejected code.unknownRefusal",
                "skipped code.unknownRefusal", "skipped code.unknownRefusal",
            ]
        )
    }

    @Test func `a request found too old goes once more at once, a second time stops the run`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        bench.answer(.stale)
        #expect(bench.inFlight.count == 1)
        bench.answer(.stale)
        #expect(bench.fates() == ["skipped code.stale"])
        #expect(bench.stop != nil)
    }

    // MARK: - Throttling

    @Test func `a throttled batch waits as long as the gateway asks, and holds up no other`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 2
        }
        bench.read(count: 3)
        bench.answer(.throttle, retryAfter: .seconds(5))
        #expect(bench.inFlight.count == 1)
        bench.answer(.success)
        bench.wait(.milliseconds(4999))
        #expect(bench.sent.count == 3)
        bench.wait(.milliseconds(1000))
        #expect(bench.sent.count == 4)
    }

    @Test func `batches whose waits end together leave in their order`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 4
        }
        bench.read(count: 4)
        for wait in [5, 6, 7, 8] { bench.answer(.throttle, retryAfter: .seconds(wait)) }
        // The machine was asleep.
        bench.now = bench.now.advanced(by: .seconds(60))
        bench.engine.deadlineReached(at: bench.now)
        bench.run()
        while bench.sent.count < 8 { bench.answerAll(); bench.wait(.seconds(1)) }
        #expect(bench.sent.suffix(4).map(\.lines) == [[1], [2], [3], [4]])
    }

    @Test func `a gateway that asks for hours is asked again after a minute`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        bench.answer(.throttle, retryAfter: .seconds(86_400))
        bench.wait(.seconds(67))
        #expect(bench.sent.count == 2)
    }

    @Test func `a batch that is throttled until its deadline is skipped, not unknown`() {
        let bench = Bench { $0.deadline = .seconds(30) }
        bench.read(count: 2)
        bench.flush()
        for _ in 0..<1000 where !bench.inFlight.isEmpty || bench.nextDeadline != nil {
            if !bench.inFlight.isEmpty { bench.answer(.throttle) }
            bench.wait(.milliseconds(100))
        }
        #expect(bench.fates() == ["skipped smspipe.EXPIRED", "skipped smspipe.EXPIRED"])
        #expect(bench.now >= Instant(nanoseconds: 30_000_000_000))
    }

    // MARK: - Not sent

    @Test func `messages that expire before the gateway is reached tell that, and younger ones go on`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.deadline = .seconds(1)
        }
        bench.read(count: 2)
        while bench.now < Instant(nanoseconds: 3_000_000_000) {
            while !bench.inFlight.isEmpty { bench.notSent() }
            bench.wait(.milliseconds(100))
        }
        #expect(bench.fates() == ["skipped smspipe.UNREACHABLE", "skipped smspipe.UNREACHABLE"])
        guard case .unreachable = bench.engine.stops.first else {
            Issue.record("the status does not tell")
            return
        }
        bench.read(count: 1)
        bench.endInput()
        bench.answer(.success)
        #expect(bench.fates() == ["accepted OK"] && bench.isFinished && bench.stop == nil)
        #expect(bench.engine.stops.isEmpty)
    }

    @Test func `a gateway that was never reached is given up after ten seconds`() {
        let bench = Bench()
        bench.read(count: 2)
        bench.flush()
        while bench.stop == nil, bench.now.nanoseconds < 60_000_000_000 {
            if !bench.inFlight.isEmpty { bench.notSent() }
            bench.wait(.milliseconds(100))
        }
        #expect(bench.now == Instant(nanoseconds: 10_100_000_000) || bench.now == Instant(nanoseconds: 10_000_000_000))
        bench.endInput()
        #expect(bench.fates() == ["skipped smspipe.UNREACHABLE", "skipped smspipe.UNREACHABLE"])
        #expect(bench.isFinished)
        #expect(bench.nextDeadline == nil)
    }

    @Test func `a connection attempt that takes ten seconds to fail is the only one`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        bench.wait(.seconds(10))
        bench.notSent()
        bench.wait(.zero)
        #expect(bench.fates() == ["skipped smspipe.UNREACHABLE"])
    }

    @Test func `a gateway that was reached before is tried until the deadline`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        bench.engine.connected()
        while bench.occupancy.answers == 0, bench.now.nanoseconds < 600_000_000_000 {
            if !bench.inFlight.isEmpty { bench.notSent() }
            bench.wait(.milliseconds(500))
        }
        #expect(bench.fates() == ["skipped smspipe.EXPIRED"])
        #expect((120_000_000_000...121_000_000_000).contains(bench.now.nanoseconds))
        #expect(bench.stop == nil)
    }

    @Test func `a certificate that does not verify ends the run at once`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 2
        }
        bench.read(count: 4)
        bench.notSent(.certificate("expired"))
        bench.notSent(.certificate("expired"))
        #expect(bench.fates() == Array(repeating: "skipped smspipe.UNREACHABLE", count: 4))
        #expect(bench.sent.count == 2)
    }

    @Test func `what did not leave is sent again under the same BatchId`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        bench.engine.connected()
        bench.notSent(.brokenWhileSending)
        bench.wait(.seconds(1))
        bench.answer(.success)
        #expect(bench.fates() == ["accepted OK"])
        #expect(bench.sent.count == 2)
        #expect(bench.sent[0].head.outID == bench.sent[1].head.outID)
    }

    // MARK: - Doubt

    @Test(arguments: [1, 2, 3, 4])
    func `a lost answer is looked up at 2, 5, 10 and 20 seconds until it is found`(found: Int) throws {
        let bench = Bench()
        bench.read(count: 3)
        bench.flush()
        bench.unknown(.connectionLost)
        var times: [Int64] = []
        for lookUp in 1...4 {
            while bench.inFlight.isEmpty, bench.occupancy.waiting > 0 { bench.wait(.milliseconds(500)) }
            times.append(bench.now.nanoseconds / 1_000_000_000)
            #expect(bench.inFlight.map(\.call) == [.lookUp])
            let asked = try #require(bench.askedLookUp)
            #expect(asked.attempt == lookUp)
            #expect(String(decoding: asked.phoneNumber, as: UTF8.self) == Bench.phone((lookUp - 1) % 3))
            #expect(asked.sendDate == 20_260_101 && asked.secondsSinceSent == times[lookUp - 1] && !asked.isOwnOutID)
            bench.lookedUp(lookUp == found)
            if lookUp == found { break }
        }
        #expect(times == Array([2, 5, 10, 20].prefix(found)))
        let lines = bench.output()
        #expect(lines.map(Bench.fate) == Array(repeating: "accepted OK", count: 3))
        #expect(lines.allSatisfy { Bench.member("Message", of: $0).contains("look-up") })
        #expect(lines.allSatisfy { Bench.member("SendDate", of: $0) == "20260101" })
    }

    @Test func `what no look-up finds is unknown, and never sent again`() {
        let bench = Bench()
        bench.read(count: 2)
        bench.flush()
        bench.unknown()
        for isFailing in [false, true, false, true] {
            while bench.inFlight.isEmpty, bench.occupancy.waiting > 0 { bench.wait(.milliseconds(100)) }
            if isFailing { bench.unknown() } else { bench.lookedUp(false) }
        }
        #expect(bench.fates() == ["unknown smspipe.UNCONFIRMED", "unknown smspipe.UNCONFIRMED"])
        bench.wait(.seconds(300))
        #expect(bench.sent.map(\.call) == [.sendBatch, .lookUp, .lookUp, .lookUp, .lookUp])
    }

    @Test func `a look-up that is refused for its time stamp goes once more at once, and does not count`() throws {
        let bench = Bench { $0.confirm = .seconds(2) }
        bench.read(count: 1)
        bench.flush()
        bench.unknown()
        bench.wait(.seconds(2))
        bench.lookUpRefusedAsStale()
        bench.wait(.milliseconds(1))
        #expect(bench.inFlight.map(\.call) == [.lookUp])
        #expect(try #require(bench.askedLookUp).attempt == 1)
        bench.lookUpRefusedAsStale()
        #expect(bench.inFlight.isEmpty)
        #expect(bench.fates() == ["unknown smspipe.UNCONFIRMED"])
    }

    @Test(arguments: [(Duration.zero, 0), (.seconds(2), 1), (.seconds(9), 2), (.seconds(10), 3), (.seconds(30), 4)])
    func `look-ups end with the time to confirm`(confirm: Duration, count: Int) {
        let bench = Bench { $0.confirm = confirm }
        bench.read(count: 1)
        bench.flush()
        bench.unknown()
        for _ in 0..<100 {
            if !bench.inFlight.isEmpty { bench.lookedUp(false) }
            bench.wait(.milliseconds(500))
        }
        #expect(bench.sent.count == 1 + count)
        #expect(bench.fates() == ["unknown smspipe.UNCONFIRMED"])
    }

    @Test func `an answer that does not come in time is given up once`() {
        let bench = Bench { $0.confirm = .zero }
        bench.read(count: 1)
        bench.flush()
        bench.wait(.milliseconds(9999))
        #expect(bench.reportAbandoned() == 0)
        bench.wait(.milliseconds(1))
        #expect(bench.reportAbandoned() == 1)
        #expect(bench.fates() == ["unknown smspipe.UNCONFIRMED"])
    }

    @Test func `other batches go on while one is looked up`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 2
            $0.keepsInputOrder = false
        }
        bench.read(count: 4)
        bench.unknown()
        #expect(bench.inFlight.count == 2)
        bench.answerAll()
        #expect(bench.fates() == Array(repeating: "accepted OK", count: 3))
    }

    @Test func `a message's own OutId travels and is told to the look-up`() throws {
        let bench = Bench()
        bench.read(count: 2, members: ",\"OutId\":\"订单\"")
        bench.flush()
        #expect(bench.inFlight.map { String(decoding: $0.head.outID, as: UTF8.self) } == ["订单"])
        bench.unknown()
        bench.wait(.seconds(2))
        let asked = try #require(bench.askedLookUp)
        #expect(asked.isOwnOutID && String(decoding: asked.outID, as: UTF8.self) == "订单")
    }

    @Test func `the last look-up is made though its time comes a little late`() {
        let bench = Bench { $0.confirm = .seconds(2) }
        bench.read(count: 1)
        bench.flush()
        bench.unknown()
        bench.now = bench.now.advanced(by: .milliseconds(2_100))
        bench.engine.deadlineReached(at: bench.now)
        bench.run()
        #expect(bench.askedLookUp != nil)
    }

    /// Two messages, each in a request of its own; the first is accepted, the second in doubt.
    @Test(
        arguments: [
            (
                second: #"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"o"}"#,
                after: Duration.zero, isAsked: false
            ),
            (#"{"PhoneNumber":13900000001,"TemplateCode":"T","OutId":"o","TemplateParam":{"a":1}}"#, .zero, false),
            (#"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"o"}"#, .seconds(15), false),
            (#"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"o"}"#, .milliseconds(15_001), true),
            (#"{"PhoneNumber":"13900000002","TemplateCode":"T","OutId":"o"}"#, .zero, true),
            (#"{"PhoneNumber":"13900000001","TemplateCode":"U","OutId":"o"}"#, .zero, true),
            (#"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"p"}"#, .zero, true),
            (#"{"PhoneNumber":"13900000001","TemplateCode":"T"}"#, .zero, true),
        ]
    )
    func `a message is not looked up where the records of another could be taken for its own`(
        second: String,
        after wait: Duration,
        isAsked: Bool,
    ) {
        let bench = Bench { $0.batchSize = 1 }
        bench.read(#"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"o"}"#)
        bench.answer(.success)
        bench.wait(wait)
        bench.read(second)
        bench.unknown()
        bench.wait(.seconds(2))
        #expect((bench.askedLookUp != nil) == isAsked)
        if isAsked { bench.lookedUp(true) }
        #expect(bench.fates() == ["accepted OK", isAsked ? "accepted OK" : "unknown smspipe.UNCONFIRMED"])
    }

    @Test func `the records of a message whose connection came late may be as late`() throws {
        let bench = Bench { $0.batchSize = 1 }
        let line = #"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"o"}"#
        bench.read(line)
        bench.wait(.seconds(9))
        let id = try #require(bench.inFlight.first?.id)
        let leaves = bench.engine.leaves(id, at: bench.now, sendDate: 20_260_101)
        #expect(leaves)
        bench.answer(.success)
        bench.wait(.seconds(14))
        bench.read(line)
        bench.unknown()
        bench.wait(.seconds(2))
        #expect(bench.askedLookUp == nil)
        #expect(bench.fates() == ["accepted OK", "unknown smspipe.UNCONFIRMED"])
    }

    @Test func `what was certainly not taken has no record`() {
        let bench = Bench { $0.batchSize = 2 }
        bench.read(#"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"o"}"#)
        bench.read(#"{"PhoneNumber":"13900000002","TemplateCode":"T","OutId":"o"}"#)
        bench.answer(.message)
        for _ in 0..<2 { bench.unknown() }
        bench.wait(.seconds(2))
        #expect(bench.inFlight.count == 2, "the halves are not looked up")
        for _ in 0..<2 { bench.lookedUp(true) }
        #expect(bench.fates() == ["accepted OK", "accepted OK"])
    }

    @Test func `a refusal takes back its own departure only`() {
        let bench = Bench { $0.batchSize = 1 }
        let line = #"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"o"}"#
        bench.read(line)
        bench.answer(.success)
        bench.read(line)
        bench.answer(.batch)
        bench.read(line)
        bench.unknown()
        bench.wait(.seconds(2))
        #expect(bench.askedLookUp == nil)
        #expect(bench.fates().last == "unknown smspipe.UNCONFIRMED")
    }

    @Test func `a record that may be of a message which left meanwhile is not believed`() {
        let bench = Bench { $0.batchSize = 1 }
        let line = #"{"PhoneNumber":"13900000001","TemplateCode":"T","OutId":"o"}"#
        bench.read(line)
        bench.unknown()
        bench.wait(.seconds(2))
        #expect(bench.askedLookUp != nil)
        bench.read(line)
        bench.answer(.success, at: 1)
        bench.lookedUp(true)
        #expect(bench.fates() == ["unknown smspipe.UNCONFIRMED", "accepted OK"])
    }

    @Test func `what is too long ago to be remembered could be taken for anything`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.confirm = .seconds(6)
        }
        func line(_ number: Int) -> String { #"{"PhoneNumber":"\#(number)","TemplateCode":"T","OutId":"o"}"# }
        bench.read(line(13_900_000_000))
        bench.unknown()
        // As many as are remembered, so that the first one is not any more.
        for start in stride(from: 13_900_000_001, to: 13_900_065_537, by: 64) {
            bench.read((start..<(start + 64)).map(line).joined(separator: "\n"))
            bench.answerAll()
        }
        bench.wait(.seconds(2))
        #expect(bench.askedLookUp == nil)
        #expect(bench.fates().first == "unknown smspipe.UNCONFIRMED")
    }

    // MARK: - Deadlines

    @Test func `a message that waits for a permit until its deadline is skipped`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 1
            $0.timeout = .seconds(300)
            $0.keepsInputOrder = false
        }
        bench.read(count: 2)
        bench.wait(.milliseconds(119_999))
        #expect(bench.fates() == [])
        bench.wait(.milliseconds(1))
        #expect(bench.fates() == ["skipped smspipe.EXPIRED"])
        bench.answer(.success)
        #expect(bench.fates() == ["accepted OK"])
        #expect(bench.sent.count == 1)
    }

    @Test func `a request whose connection comes late does not leave after its deadline, or after a stop`() throws {
        let bench = Bench {
            $0.batchSize = 1
            $0.timeout = .seconds(300)
        }
        bench.read(count: 2)
        let id = try #require(bench.inFlight.last?.id)
        func leaves(after wait: Duration) -> Bool {
            bench.engine.leaves(id, at: bench.now.advanced(by: wait), sendDate: 20_260_101)
        }
        #expect(leaves(after: .zero) && leaves(after: .milliseconds(119_999)))
        #expect(!leaves(after: .seconds(120)))
        bench.answer(.account)
        #expect(!leaves(after: .zero))
        bench.notSent()
        #expect(bench.fates() == ["skipped code.account", "skipped code.account"])
    }

    @Test func `a request whose connection comes after midnight has the day on which it leaves`() throws {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        let id = try #require(bench.inFlight.first?.id)
        let leaves = bench.engine.leaves(id, at: bench.now, sendDate: 20_260_102)
        #expect(leaves)
        bench.answer(.success)
        #expect(bench.output().map { Bench.member("SendDate", of: $0) } == ["20260102"])
    }

    @Test func `a request whose connection comes late has the whole time for its answer`() throws {
        let bench = Bench {
            $0.batchSize = 1
            $0.timeout = .seconds(10)
            $0.confirm = .zero
        }
        bench.read(count: 2)
        bench.wait(.seconds(9))
        let id = try #require(bench.inFlight.first?.id)
        let leaves = bench.engine.leaves(id, at: bench.now, sendDate: 20_260_101)
        #expect(leaves)
        bench.wait(.seconds(9))
        #expect(bench.nextAbandoned() == bench.inFlight.last?.id)
        #expect(bench.nextAbandoned() == nil)
        bench.wait(.seconds(1))
        #expect(bench.nextAbandoned() == id)
        // Its connection is there before it is given up.
        let wasOverdue = bench.engine.isOverdue(id, at: bench.now)
        let leavesAfterAll = bench.engine.leaves(id, at: bench.now, sendDate: 20_260_101)
        let isOverdue = bench.engine.isOverdue(id, at: bench.now)
        #expect(wasOverdue && leavesAfterAll && !isOverdue)
        bench.wait(.seconds(9))
        #expect(bench.nextAbandoned() == nil)
    }

    @Test func `what was begun first leaves first, full or not`() {
        let bench = Bench {
            $0.batchSize = 2
            $0.concurrency = 1
        }
        let other = #"{"PhoneNumber":"13900000099","TemplateCode":"B"}"#
        bench.read(other + "\n" + (0..<5).map { #"{"PhoneNumber":"\#(Bench.phone($0))"}"# }.joined(separator: "\n"))
        bench.endInput()
        bench.answerAll()
        #expect(bench.sent.map(\.lines) == [[2, 3], [1], [4, 5], [6]])
    }

    @Test func `a request that did not leave is not counted`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        #expect(bench.tally.requests == 1)
        bench.notSent()
        #expect(bench.tally.requests == 0)
        bench.wait(.seconds(1))
        #expect(bench.tally.requests == 1)
    }

    // MARK: - The end

    @Test func `a gateway that was given up while it was connected to is not called unreachable`() {
        let bench = Bench { $0.drain = .zero }
        bench.read(count: 1)
        bench.flush()
        bench.engine.signalArrived(15, at: bench.now)
        bench.wait(.zero)
        bench.notSent(.noConnection("it took too long"))
        #expect(bench.fates() == ["skipped smspipe.STOPPED"])
        #expect(bench.engine.stops.isEmpty)
    }

    @Test func `a signal ends a run whose reader does not return`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.engine.signalArrived(15, at: bench.now)
        bench.run()
        bench.answer(.success)
        #expect(bench.output().count == 1 && !bench.isFinished)
        bench.wait(.seconds(10))
        // What it has read may still come.
        #expect(!bench.isFinished)
        bench.read(count: 1, from: 1)
        #expect(bench.fates() == ["skipped smspipe.STOPPED"])
        bench.wait(.seconds(1))
        #expect(bench.isFinished)
    }

    @Test func `a signal sends what is batched and awaits the answers`() {
        let bench = Bench()
        bench.read(count: 3)
        #expect(bench.sent.isEmpty)
        bench.engine.signalArrived(15, at: bench.now)
        bench.endInput()
        #expect(bench.sent.count == 1)
        #expect(!bench.isFinished)
        bench.answer(.success)
        #expect(bench.fates() == Array(repeating: "accepted OK", count: 3))
        #expect(bench.isFinished && bench.stop == .signal(15))
    }

    @Test(arguments: [false, true])
    func `nothing leaves that has no time left to be answered`(_ isRefused: Bool) {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 1
            $0.linger = .zero
        }
        bench.read(count: 30)
        bench.engine.signalArrived(15, at: bench.now)
        bench.endInput()
        for _ in 0..<12 {
            bench.wait(.seconds(1))
            if !bench.inFlight.isEmpty { bench.answer(isRefused ? .message : .success) }
        }
        // The tenth would be answered when the time is over, if it took a little longer.
        let answered = Array(repeating: isRefused ? "rejected code.message" : "accepted OK", count: 9)
        #expect(bench.fates() == answered + Array(repeating: "skipped smspipe.STOPPED", count: 21))
        #expect(bench.isFinished)
    }

    @Test func `when the drain time ends, what left is unknown and what did not is skipped`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 1
            $0.timeout = .seconds(60)
        }
        bench.read(count: 2)
        bench.engine.signalArrived(2, at: bench.now)
        bench.endInput()
        bench.wait(.milliseconds(9999))
        #expect(bench.reportAbandoned() == 0)
        bench.wait(.milliseconds(1))
        #expect(bench.reportAbandoned(.interrupted) == 1)
        #expect(bench.fates() == ["unknown smspipe.UNCONFIRMED", "skipped smspipe.STOPPED"])
        #expect(bench.isFinished && bench.nextDeadline == nil)
    }

    @Test func `look-ups under way are not awaited beyond the drain time`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        bench.unknown()
        bench.engine.signalArrived(15, at: bench.now)
        bench.endInput()
        bench.wait(.seconds(2))
        bench.lookedUp(false)
        bench.wait(.seconds(8))
        #expect(bench.reportAbandoned(.interrupted) == 1)
        #expect(bench.fates() == ["unknown smspipe.UNCONFIRMED"])
        #expect(bench.isFinished)
    }

    @Test func `a closed output ends the run with what is in flight, and keeps nothing`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 2
        }
        bench.read(count: 5)
        bench.engine.outputClosed(at: bench.now)
        bench.run()
        #expect(bench.sent.count == 2 && !bench.isFinished)
        bench.answer(.success)
        bench.unknown()
        #expect(bench.isFinished && bench.output().isEmpty)
        #expect(bench.occupancy == Engine.Occupancy())
        #expect(bench.tally[.accepted] == 1 && bench.tally[.unknown] == 1 && bench.tally[.skipped] == 3)
    }

    @Test func `a dry run sends nothing and says which lines share a request`() {
        let bench = Bench {
            $0.isDryRun = true
            $0.batchSize = 2
        }
        bench.read(count: 3)
        bench.endInput()
        let lines = bench.output()
        #expect(lines.map(Bench.fate) == Array(repeating: "planned smspipe.PLANNED", count: 3))
        #expect(lines.map { Bench.member("BatchId", of: $0) } == ["run-1", "run-1", "run-2"])
        #expect(lines.allSatisfy { Bench.member("SendDate", of: $0) == "null" })
        #expect(bench.sent.isEmpty && bench.tally.requests == 2 && bench.isFinished)
    }

    // MARK: - Limits

    @Test func `the window closes reading until lines are out, and sends what is batched`() {
        let bench = Bench { $0.window = 3 }
        bench.read(count: 2)
        #expect(bench.room == 1 && bench.sent.isEmpty)
        bench.read(count: 1, from: 2)
        #expect(bench.room == 0 && bench.sent.count == 1)
        bench.answer(.success)
        #expect(bench.room == 0)
        #expect(bench.output().count == 3)
        #expect(bench.room == 3)
    }

    @Test func `more input is not wanted while a quarter as many batches are ready as may be in flight`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 40
        }
        bench.read(count: 49)
        #expect(!bench.hasEnough)
        bench.read(count: 1, from: 49)
        #expect(bench.hasEnough && bench.sent.count == 40)
        bench.answer(.success)
        bench.run()
        #expect(!bench.hasEnough)
        bench.read(count: 1, from: 50)
        #expect(bench.hasEnough)
        bench.engine.outputClosed(at: bench.now)
        #expect(!bench.hasEnough)
    }

    @Test func `more input is not wanted while two thousand answers wait for a full output`() {
        let bench = Bench { _ in }
        bench.read(count: 2_000)
        bench.answerAll()
        #expect(!bench.hasEnough(whileOutputIsFull: true))
        bench.read(count: 100, from: 2_000)
        bench.answerAll()
        #expect(bench.hasEnough(whileOutputIsFull: true))
        #expect(!bench.hasEnough(whileOutputIsFull: false))
        #expect(bench.output().count == 2_100)
        #expect(!bench.hasEnough(whileOutputIsFull: true))
    }

    @Test func `long lines close reading by their bytes`() {
        let bench = Bench { $0.maximumHeldBytes = 1000 }
        bench.read(count: 1, members: ",\"text\":\"\(String(repeating: "x", count: 1000))\"")
        #expect(bench.room == 0 && bench.sent.count == 1)
        bench.answer(.success)
        #expect(bench.output().count == 1)
        #expect(bench.room == 20000)
    }

    @Test(arguments: [(byteCount: 10_000, isKept: false), (100_000, true), (400_000, false)])
    func `a chunk's storage is kept for another if it is large, and a read can fill half of it`(
        byteCount: Int,
        isKept: Bool,
    ) {
        let bench = Bench()
        bench.read(count: 1, members: ",\"text\":\"\(String(repeating: "x", count: byteCount))\"")
        bench.endInput()
        bench.answer(.success)
        #expect(bench.output().count == 1)
        #expect((bench.engine.takeSpareChunk() != nil) == isKept)
    }

    @Test func `never are more requests in flight than allowed`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 3
        }
        bench.read(count: 10)
        #expect(bench.inFlight.count == 3)
        for _ in 0..<3 { bench.unknown() }
        bench.wait(.seconds(2))
        #expect(bench.inFlight.count == 3)
    }

    @Test(arguments: [
        // Rate, deadline in seconds, window; batch size and window then.
        (500.0, 120, 20_000, 100, 20_000), (20.0, 120, 20_000, 20, 1_200), (500.0, 5, 20_000, 100, 1_250),
        (500.0, 120, 5, 100, 5), (100.0, 1, 20_000, 50, 50), (0.5, 120, 20_000, 1, 30), (1e9, 86_400, 300, 100, 300),
        (1e-6, 1, 20_000, 1, 1),
    ])
    func `a rate limits what a request holds and what is read`(
        rate: Double,
        deadline: Int,
        window: Int,
        batchSize: Int,
        limitedWindow: Int,
    ) {
        var configuration = Engine.Configuration(runID: "run")
        configuration.deadline = .seconds(deadline)
        configuration.window = window
        configuration.limit(toMessagesPerSecond: rate)
        #expect(configuration.maximumMessagesPerSecond == rate)
        #expect(configuration.batchSize == batchSize && configuration.window == limitedWindow)
    }

    @Test func `the rate counts messages`() {
        let bench = Bench {
            $0.batchSize = 10
            $0.maximumMessagesPerSecond = 10
        }
        bench.engine.connected()
        bench.read(count: 30)
        #expect(bench.sent.count == 1)
        bench.wait(.milliseconds(999))
        #expect(bench.sent.count == 1)
        bench.wait(.milliseconds(1))
        #expect(bench.sent.count == 2)
    }

    @Test func `what was not taken and leaves again does not count twice`() {
        let bench = Bench {
            $0.batchSize = 8
            $0.maximumMessagesPerSecond = 8
            $0.deadline = .seconds(30)
        }
        bench.engine.connected()
        bench.read(count: 24)
        // One culprit of eight: seven requests, of 8, 4, 4, 2, 2, 1 and 1 messages, for the eight of this second.
        bench.answerAll(culprits: [Bench.phone(0)])
        for _ in 0..<20 {
            bench.wait(.milliseconds(50))
            bench.answerAll(culprits: [Bench.phone(0)])
        }
        #expect(bench.sent.map(\.lines.count) == [8, 4, 2, 1, 1, 2, 4, 8])
        // The same for what has never left.
        bench.wait(.seconds(1))
        bench.notSent()
        bench.wait(.milliseconds(900))
        #expect(bench.sent.map(\.lines.count).suffix(2) == [8, 8])
        bench.answerAll()
        #expect(bench.tally[.accepted] == 23 && bench.tally[.rejected] == 1)
        // What is refused for good has left, and counts.
        let strict = Bench {
            $0.batchSize = 8
            $0.maximumMessagesPerSecond = 8
        }
        strict.engine.connected()
        strict.read(count: 16)
        strict.answer(.batch)
        strict.wait(.milliseconds(999))
        #expect(strict.sent.count == 1)
        strict.wait(.milliseconds(1))
        #expect(strict.sent.count == 2)
    }

    @Test func `refusals that come late do not bring back time that has passed`() {
        let bench = Bench {
            $0.batchSize = 10
            $0.maximumMessagesPerSecond = 10
        }
        bench.engine.connected()
        bench.read(count: 200)
        bench.wait(.seconds(5))
        #expect(bench.inFlight.count == 6)
        let before = bench.sent.count
        for _ in 0..<6 {
            bench.answer(.message)
            bench.wait(.milliseconds(20))
        }
        bench.wait(.milliseconds(880))
        #expect(bench.sent[before...].reduce(0) { $0 + $1.lines.count } <= 20)
        // Refused for coming too fast, they count too.
        let throttled = Bench {
            $0.batchSize = 10
            $0.maximumMessagesPerSecond = 10
        }
        throttled.engine.connected()
        throttled.read(count: 200)
        for _ in 0..<50 {
            while !throttled.inFlight.isEmpty { throttled.answer(.throttle) }
            throttled.wait(.milliseconds(20))
        }
        #expect(throttled.sent.count <= 2)
    }

    @Test func `with a rate one request waits for the first connection, not all that are due meanwhile`() {
        let bench = Bench {
            $0.batchSize = 10
            $0.maximumMessagesPerSecond = 10
        }
        bench.read(count: 50)
        bench.wait(.seconds(4))
        #expect(bench.sent.count == 1)
        bench.engine.connected()
        bench.run()
        #expect(bench.sent.count == 2)
    }

    @Test func `a rate is kept on average where the clock is looked at late`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.concurrency = 10_000
            $0.maximumMessagesPerSecond = 1_000
        }
        bench.engine.connected()
        bench.read(count: 3_000)
        for _ in 0..<400 {
            bench.now = bench.now.advanced(by: .microseconds(2_500))
            bench.run()
        }
        #expect((990...1_006).contains(bench.sent.count))
    }

    @Test func `completion order gives lines as their answers come`() {
        let bench = Bench {
            $0.batchSize = 1
            $0.keepsInputOrder = false
        }
        bench.read(count: 3)
        bench.answer(.success, at: 2)
        bench.answer(.success, at: 0)
        #expect(bench.output().map { Bench.member("PhoneNumber", of: $0) } == [Bench.phone(2), Bench.phone(0)])
    }

    @Test func `input order holds lines back until those before them are answered`() {
        let bench = Bench { $0.batchSize = 1 }
        bench.read(count: 3)
        bench.answer(.success, at: 2)
        #expect(bench.output().isEmpty)
        bench.answer(.success, at: 0)
        #expect(bench.output().count == 1)
        bench.answer(.success)
        #expect(bench.output().count == 2)
    }
}
