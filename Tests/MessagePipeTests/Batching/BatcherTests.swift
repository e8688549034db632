// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct BatcherTests {
    // MARK: - One thing at a time

    static func lines(_ bench: Bench) -> [[UInt64]] { bench.sent.map(\.lines) }

    @Test func `flushes a full batch before the linger ends`() {
        let bench = Bench { $0.batchSize = 3 }
        bench.read(count: 7)
        #expect(Self.lines(bench) == [[1, 2, 3], [4, 5, 6]])
        #expect(bench.now == Instant(nanoseconds: 0))
    }

    @Test func `flushes a batch whose texts are as long as a request may be`() {
        let bench = Bench()
        let value = String(repeating: "a", count: 900_000)
        let lines = (0..<40).map { "{\"PhoneNumber\":\"\(Bench.phone($0))\",\"TemplateParam\":{\"a\":\"\(value)\"}}" }
        for line in lines { bench.read(line) }
        #expect(bench.sent.map(\.lines.count) == [19, 19])
    }

    @Test func `a batch leaves when its oldest message has waited for the linger`() {
        let bench = Bench()
        bench.read(count: 1)
        bench.wait(.milliseconds(60))
        bench.read(count: 1, from: 1)
        bench.wait(.milliseconds(39))
        #expect(bench.sent.isEmpty)
        bench.wait(.milliseconds(1))
        #expect(Self.lines(bench) == [[1, 2]])
    }

    @Test func `without linger a batch leaves when no more input is ready`() {
        let bench = Bench { $0.linger = .zero }
        bench.read(count: 2)
        bench.read(count: 2, from: 2)
        bench.wait(.seconds(1))
        #expect(bench.sent.isEmpty)
        // What wakes it is the messages' deadline alone.
        #expect(bench.nextDeadline == Instant(nanoseconds: 0).advanced(by: .seconds(120)))
        bench.engine.inputIdled(at: bench.now)
        bench.run()
        #expect(Self.lines(bench) == [[1, 2, 3, 4]])
    }

    @Test func `with linger a pause in the input sends nothing`() {
        let bench = Bench()
        bench.read(count: 2)
        bench.engine.inputIdled(at: bench.now)
        bench.run()
        #expect(bench.sent.isEmpty)
    }

    @Test func `the end of the input and a flush send what is batched, the oldest first`() {
        for flush in [true, false] {
            let bench = Bench()
            for template in ["A", "B", "C", "A", "B"] {
                bench.read(count: 1, from: bench.tally.messages, members: ",\"TemplateCode\":\"\(template)\"")
            }
            flush ? bench.flush() : bench.endInput()
            #expect(Self.lines(bench) == [[1, 4], [2, 5], [3]])
        }
    }

    @Test(arguments: [
        #","TemplateCode":"T2""#, #","OutId":"o""#, #","TemplateParam":{"a":"1"}"#, #","SmsUpExtendCode":"1""#,
    ])
    func `messages that differ in what a request has in common do not share one`(members: String) {
        let bench = Bench()
        for index in 0..<4 { bench.read(count: 1, from: index, members: index % 2 == 0 ? "" : members) }
        bench.endInput()
        #expect(Self.lines(bench) == [[1, 3], [2, 4]])
    }

    @Test func `mainland and international numbers do not share a request`() {
        let bench = Bench()
        bench.read(#"{"PhoneNumber":"13900000000"}"#)
        bench.read(#"{"PhoneNumber":"85212345678"}"#)
        bench.read(#"{"PhoneNumber":"+8613900000001"}"#)
        bench.endInput()
        #expect(Self.lines(bench) == [[1, 3], [2]])
    }

    @Test func `sign names and parameters may differ within a request`() {
        let bench = Bench()
        bench.read(count: 1, from: 0, members: #","SignName":"甲","TemplateParam":{"a":"1"}"#)
        bench.read(count: 1, from: 1, members: #","SignName":"乙","TemplateParam":"{\"b\":\"2\"}""#)
        bench.endInput()
        #expect(Self.lines(bench) == [[1, 2]])
    }

    @Test func `a number stands once in a request, however it is spelled, and both batches fill`() {
        let bench = Bench { $0.batchSize = 3 }
        for number in ["13900000001", "+8613900000001", "13900000002", "8613900000002", "13900000003", "13900000004"] {
            bench.read("{\"PhoneNumber\":\"\(number)\"}")
        }
        #expect(Self.lines(bench) == [[1, 3, 5], [2, 4, 6]])
    }

    @Test func `a thousand messages to one number go one by one, and little is held open`() {
        let bench = Bench { $0.concurrency = 2000 }
        for _ in 0..<1000 { bench.read(count: 1) }
        #expect(bench.sent.allSatisfy { $0.lines.count == 1 })
        #expect(bench.sent.count >= 1000 - 17)
        bench.endInput()
        #expect(bench.sent.flatMap(\.lines).sorted() == Array(1...1000))
    }

    @Test func `urgent messages go at once, alone, and ahead of waiting batches`() {
        let bench = Bench(defaults: .init(signName: "甲", templateCode: "T", urgentTemplates: ["U"])) {
            $0.concurrency = 1
            $0.batchSize = 2
        }
        bench.read(count: 4)
        bench.read(count: 2, from: 4, members: #","TemplateCode":"U""#)
        while !bench.inFlight.isEmpty { bench.answer(.success) }
        #expect(Self.lines(bench) == [[1, 2], [5], [6], [3, 4]])
        #expect(bench.sent.map(\.call) == [.sendBatch, .sendSingle, .sendSingle, .sendBatch])
    }

    @Test func `a BatchId is the run's and the batch's`() {
        let bench = Bench { $0.batchSize = 2 }
        bench.read(count: 4)
        #expect(bench.sent.map { String(decoding: $0.head.outID, as: UTF8.self) } == ["run-1", "run-2"])
    }

    @Test(arguments: [1, 15, 16, 17, 333])
    func `many keys at once are kept apart`(linesAtOnce: Int) {
        let bench = Bench { $0.concurrency = 10_000 }
        for round in 0..<3 {
            let lines = (0..<1000).map { "{\"PhoneNumber\":\"\(Bench.phone(round))\",\"TemplateCode\":\"SMS_\($0)\"}" }
            for first in stride(from: 0, to: lines.count, by: linesAtOnce) {
                bench.read(lines[first...].prefix(linesAtOnce).joined(separator: "\n"))
            }
        }
        bench.endInput()
        #expect(bench.sent.count == 1000 && bench.sent.allSatisfy { $0.lines.count == 3 })
        #expect(bench.sent.allSatisfy { Set($0.lines.map { ($0 - 1) % 1000 }).count == 1 })
    }

    /// With an OutId, the texts of the keys are longer than those that are kept in place.
    @Test(arguments: ["", String(repeating: "o", count: 20)])
    func `keys whose hashes collide are kept apart`(_ outID: String) throws {
        let codes = try #require(Self.collidingTemplateCodes())
        func line(_ number: Int, _ code: [UInt8]) -> String {
            var text: [UInt8] = []
            JSONText.appendEscaped(code.span, to: &text)
            let members = outID.isEmpty ? "" : ",\"OutId\":\"\(outID)\""
            let code = String(decoding: text, as: UTF8.self)
            return "{\"PhoneNumber\":\"\(number)\",\"TemplateCode\":\"\(code)\"\(members)}"
        }
        let text = [line(1, codes.0), line(2, codes.1), line(3, codes.0), line(4, codes.1)].joined(separator: "\n")
        let hashes = Chunk.parsing(text, defaults: .init(signName: "甲")).messages.map(\.batchKeyHash)
        try #require(Set(hashes).count == 1, "the hash has changed; find another collision")
        let bench = Bench()
        bench.read(text)
        bench.endInput()
        #expect(Self.lines(bench) == [[1, 3], [2, 4]])
    }

    /// Two template codes of sixteen bytes with the same hash: the second half makes up for the difference of the first.
    private static func collidingTemplateCodes() -> ([UInt8], [UInt8])? {
        func word(_ text: [UInt8]) -> UInt64 { text.reversed().reduce(0) { $0 << 8 ^ UInt64($1) } }
        func mix(_ value: UInt64, _ word: UInt64) -> UInt64 {
            let product = (value ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            return product.high ^ product.low
        }
        func mixed(_ text: [UInt8]) -> UInt64 {
            let traits = Message.Traits.isInternational.rawValue
            return mix(mix(0x9E37_79B9_7F4A_7C15 ^ UInt64(traits), 16), word(text))
        }
        let one = Array("SMS_AAAA".utf8)
        for number in 0..<100_000 {
            let other = Array(("SMS_" + String(1_000_000 + number).suffix(4)).utf8)
            let half = word(one) ^ mixed(one) ^ mixed(other)
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: half >> (8 * UInt64($0))) }
            if other != one, bytes.allSatisfy({ $0 < 0x80 }) { return (one + one, other + bytes) }
        }
        return nil
    }

    // MARK: - A large window

    /// Reads messages of many templates in turn, chunk by chunk, as far as there is room.
    private static func readTemplates(_ bench: Bench, _ templateCount: Int, upTo count: Int, from first: Int = 0) -> Int
    {
        var next = first
        while next < count, bench.room > bench.engine.window.reserve {
            let end = min(count, next + 500)
            let lines = (next..<end).map {
                "{\"PhoneNumber\":\"\(Bench.phone($0))\",\"TemplateCode\":\"SMS_\($0 % templateCount)\"}"
            }
            bench.read(lines.joined(separator: "\n"))
            next = end
        }
        return next
    }

    @Test(arguments: [false, true])
    func `a full window sends its oldest batches, and lets the others fill`(_ keepsInputOrder: Bool) {
        let bench = Bench {
            $0.window = 16_000
            $0.linger = .seconds(3600)
            $0.keepsInputOrder = keepsInputOrder
        }
        let count = 200_000
        var read = Self.readTemplates(bench, 1000, upTo: count)
        #expect(!bench.sent.isEmpty)
        var rounds = 0
        while read < count, rounds < count {
            while !bench.inFlight.isEmpty { bench.answer(.success) }
            _ = bench.output()
            bench.run()
            read = Self.readTemplates(bench, 1000, upTo: count, from: read)
            rounds += 1
        }
        #expect(read == count)
        // Fourteen of a thousand templates in turn fit into the window; three quarters of them are waited for.
        #expect(bench.sent.count < count / 10)
        bench.endInput()
        while !bench.inFlight.isEmpty { bench.answer(.success) }
        _ = bench.output()
        #expect(bench.isFinished && bench.tally[.accepted] == count)
    }

    @Test func `a full window of few templates sends nothing that is not full`() {
        let bench = Bench {
            $0.window = 16_000
            $0.linger = .seconds(3600)
            $0.concurrency = 10
        }
        _ = Self.readTemplates(bench, 8, upTo: 100_000)
        #expect(bench.sent.count == 10 && bench.sent.allSatisfy { $0.lines.count == 100 })
    }

    @Test func `the oldest batch of a full window is due at once when lines have come out`() throws {
        let bench = Bench {
            $0.window = 8192
            $0.linger = .seconds(3600)
        }
        bench.wait(.seconds(5))
        bench.read(count: 2000)
        // Too young to make room, as long as all lines before it are in the window too.
        _ = Self.readTemplates(bench, 5500, upTo: 5500)
        #expect(bench.sent.count == 20 && bench.occupancy.messages == 7500)
        for _ in 0..<3 { bench.answer(.success) }
        #expect(bench.sent.count == 20)
        #expect(bench.output().count == 300)
        // What a driver asks now: how long to wait.
        let deadline = try #require(bench.nextDeadline)
        #expect(bench.now.duration(to: deadline) < .zero)
        bench.wait(.zero)
        #expect(bench.sent.count > 20)
    }

    // MARK: - A window that widens

    /// A run of default options whose batches leave when they are full, or to make room.
    private static func widening(_ configure: (inout Engine.Configuration) -> Void = { _ in }) -> Bench {
        Bench {
            $0.widestWindow = 200_000
            $0.linger = .seconds(3600)
            configure(&$0)
        }
    }

    @Test func `the window of many templates widens as soon as the gateway has answered, and batches fill`() {
        let bench = Self.widening()
        var read = Self.readTemplates(bench, 1000, upTo: 400_000)
        #expect(read < 20_000 && bench.engine.window.messages == 20_000)
        let early = bench.sent.count
        #expect(early == 64)
        bench.wait(.milliseconds(50))
        for _ in 0..<early { bench.answer(.success) }
        #expect(bench.engine.window.messages > 20_000)
        while read < 400_000 {
            read = Self.readTemplates(bench, 1000, upTo: 400_000, from: read)
            bench.wait(.milliseconds(50))
            while !bench.inFlight.isEmpty { bench.answer(.success) }
            _ = bench.output()
        }
        #expect(bench.engine.window.messages > 100_000)
        // The first leave as they are, so that there is a pace.
        #expect(bench.sent.suffix(2000).allSatisfy { $0.lines.count > 80 })
        #expect(bench.sent.count < 7000)
    }

    @Test func `a window stays as it is for few templates, for keys that do not come again, and for a slow gateway`() {
        let few = Self.widening()
        _ = Self.readTemplates(few, 100, upTo: 100_000)
        few.wait(.milliseconds(1))
        few.answer(.success)
        #expect(few.engine.window.messages == 20_000)

        let own = Self.widening()
        var next = 0
        while own.room > own.engine.window.reserve {
            own.read(count: 1, from: next, members: ",\"OutId\":\"\(next)\"")
            next += 1
        }
        own.wait(.milliseconds(1))
        own.answer(.success)
        #expect(next > 10_000 && own.engine.window.messages == 20_000)

        let slow = Self.widening()
        _ = Self.readTemplates(slow, 1000, upTo: 100_000)
        // 64 requests of 17 messages in 2 seconds are 544 a second.
        slow.wait(.seconds(2))
        for _ in 0..<64 { slow.answer(.success) }
        #expect(slow.engine.window.messages == 20_000)
    }

    @Test func `a window that is told stays as it is, and a rate limits what it may become`() {
        let told = Self.widening { $0.widestWindow = 0 }
        _ = Self.readTemplates(told, 1000, upTo: 100_000)
        told.wait(.milliseconds(1))
        told.answer(.success)
        #expect(told.engine.window.messages == 20_000)

        var configuration = Engine.Configuration(runID: "r")
        configuration.widestWindow = 200_000
        configuration.limit(toMessagesPerSecond: 500)
        #expect(configuration.window == 20_000 && configuration.widestWindow == 30_000)
        configuration.limit(toMessagesPerSecond: 10)
        #expect(configuration.window == 600 && configuration.widestWindow == 600)
    }

    @Test func `a dry run groups as a run that need not wait for answers`() {
        let bench = Self.widening { $0.isDryRun = true }
        #expect(Self.readTemplates(bench, 1000, upTo: 150_000) == 150_000)
        bench.endInput()
        #expect(bench.tally.requests == 2000)
    }

    @Test(arguments: [
        // Widest, held, open batches, answered in a second; the width.
        (200_000, 20_000, 1000, 100_000, 200_000),
        (150_000, 20_000, 1000, 100_000, 150_000),
        (200_000, 20_000, 300, 100_000, 60_000),
        (200_000, 20_000, 100, 100_000, 20_000),
        (200_000, 20_000, 5000, 100_000, 200_000),
        (200_000, 20_000, 5001, 100_000, 20_000),
        (200_000, 20_000, 1000, 8000, 30_000),
        (200_000, 20_000, 1000, 500, 20_000),
        (200_000, 20_000, 1000, 0, 20_000),
        (0, 20_000, 1000, 100_000, 20_000),
    ])
    func `is as wide as batches need and the gateway keeps up with`(
        widest: Int,
        held: Int,
        open: Int,
        answered: Int,
        wanted: Int,
    ) {
        var width = WindowWidth(narrowest: 20_000, widest: widest, batchSize: 100, deadline: .seconds(120))
        let now = Instant(nanoseconds: 1_000_000_005)
        if answered > 0 { width.answered(answered, sentAt: Instant(nanoseconds: 5), at: now) }
        let window = Window(messages: 20_000)
        #expect(width.wanted(window, held: held, isFull: true, openBatches: open, at: now) == wanted)
        #expect(width.wanted(window, held: held, isFull: false, openBatches: open, at: now) == 20_000)
    }

    @Test func `a wide window is narrowed when answers come more slowly, and by a pause, but not by little`() {
        var width = WindowWidth(narrowest: 20_000, widest: 200_000, batchSize: 100, deadline: .seconds(120))
        let wide = Window(messages: 200_000)
        var now = Instant(nanoseconds: 0)
        /// The width after some seconds of so many answers a second.
        func wanted(after seconds: Int, of pace: Int) -> Int {
            var wanted = 0
            for _ in 0..<(seconds * 10) {
                now = now.advanced(by: .milliseconds(100))
                if pace > 0 { width.answered(pace / 10, sentAt: now, at: now) }
                wanted = width.wanted(wide, held: 150_000, isFull: false, openBatches: 1000, at: now)
            }
            return wanted
        }
        #expect(wanted(after: 20, of: 100_000) == 200_000)
        // A hundred and twenty seconds, a thirty-second part: 3.75.
        #expect(wanted(after: 20, of: 30_000) == 200_000)
        #expect((72_000...78_000).contains(wanted(after: 20, of: 20_000)))
        #expect(wanted(after: 20, of: 1000) == 20_000)
        #expect(wanted(after: 20, of: 100_000) == 200_000)
        #expect(wanted(after: 8, of: 0) == 20_000)
        width.emptied()
        #expect(wanted(after: 1, of: 100_000) == 200_000)
    }

    @Test func `durations between moments that are far apart are cut to what there is`() {
        let (first, last) = (Instant(nanoseconds: .min), Instant(nanoseconds: .max))
        #expect(first.duration(to: last) == .nanoseconds(Int64.max))
        #expect(last.duration(to: first) == .nanoseconds(Int64.min))
        #expect(Instant(nanoseconds: 5).duration(to: first) == .nanoseconds(Int64.min))
        #expect(Instant(nanoseconds: -2).duration(to: Instant(nanoseconds: 3)) == .nanoseconds(5))
    }

    @Test func `a moment beyond the last, or before the first, is that one`() {
        let (first, last) = (Instant(nanoseconds: .min), Instant(nanoseconds: .max))
        #expect(last.advanced(by: .nanoseconds(1)) == last && first.advanced(by: .nanoseconds(-1)) == first)
        #expect(Instant(nanoseconds: 3 << 61).advanced(by: .seconds(1 << 62)) == last)
        #expect(Instant(nanoseconds: -3 << 61).advanced(by: .seconds(Int64.min)) == first)
        #expect(Instant(nanoseconds: -3 << 61).advanced(by: .seconds(-1 << 62)) == first)
        #expect(Instant(nanoseconds: 5).advanced(by: .nanoseconds(-7)) == Instant(nanoseconds: -2))
    }

    @Test func `the oldest batch of a full window leaves when the rate allows it`() {
        let bench = Bench {
            $0.window = 16_000
            $0.linger = .seconds(3600)
            $0.maximumMessagesPerSecond = 10
        }
        bench.engine.connected()
        _ = Self.readTemplates(bench, 1000, upTo: 20_000)
        let before = bench.sent.count
        bench.wait(.seconds(60))
        #expect(bench.sent.count > before)
    }

    @Test func `a dry run of a full window goes on`() {
        let bench = Bench {
            $0.window = 16_000
            $0.linger = .seconds(3600)
            $0.isDryRun = true
        }
        #expect(Self.readTemplates(bench, 1000, upTo: 20_000) < 20_000)
        #expect(bench.output().count > 10_000)
    }

    @Test func `a dry run sends nothing, though a batch has become due before the timer`() {
        let bench = Bench { $0.isDryRun = true }
        bench.read(count: 1)
        bench.now = bench.now.advanced(by: .seconds(1))
        bench.read(count: 1, from: 1, members: ",\"TemplateCode\":\"SMS_2\"")
        #expect(bench.sent.isEmpty)
        #expect(bench.output().count == 1)
        bench.endInput()
        #expect(bench.sent.isEmpty)
        #expect(bench.tally[.planned] == 2)
    }

    // MARK: - Against a model

    /// The rules in their plainest form: a list of open batches, searched from its start.
    struct Model {
        struct Open {
            var key: String
            var messages: [(line: UInt64, phone: Int)]
            var oldest: Instant
        }

        let size: Int
        let linger: Duration
        var open: [Open] = []
        var closed: [[UInt64]] = []

        mutating func add(_ line: UInt64, _ key: String, _ phone: Int, isUrgent: Bool, at now: Instant) {
            if isUrgent { return closed.append([line]) }
            let same = open.indices.filter { open[$0].key == key }
            if let index = same.first(where: { !open[$0].messages.contains { $0.phone == phone } }) {
                open[index].messages.append((line, phone))
                if open[index].messages.count == size { close(index) }
            } else {
                open.append(Open(key: key, messages: [(line, phone)], oldest: now))
                if size == 1 { close(open.count - 1) } else if same.count >= 16 { close(same[0]) }
            }
        }

        mutating func close(_ index: Int) { closed.append(open.remove(at: index).messages.map(\.line)) }

        mutating func expire(at now: Instant) {
            while let first = open.first, first.oldest.advanced(by: linger) <= now { close(0) }
        }

        mutating func flush() { while !open.isEmpty { close(0) } }
    }

    @Test(arguments: Seed.each(150))
    func `random scripts give the batches of a naive model`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let size = random.pick([1, 2, 3, 10, 100])
        let linger: Duration = random.pick([.zero, .milliseconds(5), .seconds(1)])
        let window = random.pick([5, 40, 10_000])
        let keyCount = random.pick([1, 3, 200])
        let phoneCount = random.pick([1, 4, 1000])
        let bench = Bench(defaults: .init(signName: "甲", urgentTemplates: ["K0"])) {
            $0.batchSize = size
            $0.linger = linger
            $0.window = window
            $0.concurrency = 100_000
            $0.timeout = .seconds(100_000)
            $0.deadline = .seconds(100_000)
        }
        var model = Model(size: size, linger: linger)
        var line: UInt64 = 0
        for _ in 0..<Int.random(in: 1...400, using: &random) {
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                bench.flush()
                model.flush()
            case 1:
                let pause = Duration.milliseconds(Int.random(in: 0...8, using: &random))
                bench.wait(pause)
                if linger > .zero { model.expire(at: bench.now) }
            case 2:
                bench.engine.inputIdled(at: bench.now)
                bench.run()
                if linger == .zero { model.flush() }
            default:
                if bench.room == 0 {
                    while !bench.inFlight.isEmpty { bench.answer(.success) }
                    _ = bench.output()
                }
                let key = Int.random(in: 0..<keyCount, using: &random)
                let outID = random.oneIn(5) ? ",\"OutId\":\"\(key % 2)\"" : ""
                let phone = Int.random(in: 0..<phoneCount, using: &random)
                let template = keyCount == 1 ? "K1" : "K\(key)"
                bench.read(count: 1, from: phone, members: ",\"TemplateCode\":\"\(template)\"" + outID)
                line += 1
                model.add(line, template + outID, phone, isUrgent: template == "K0", at: bench.now)
                if bench.room == 0 { model.flush() }
            }
            // Whole lists are compared at the end; on the way their lengths do.
            if bench.sent.count != model.closed.count { break }
        }
        bench.endInput()
        model.flush()
        // Of those that may leave in one step the oldest goes first, be it full or only due.
        func sorted(_ batches: [[UInt64]]) -> [[UInt64]] { batches.sorted { $0.lexicographicallyPrecedes($1) } }
        #expect(sorted(Self.lines(bench)) == sorted(model.closed), "SMSPIPE_SEED=\(seed)")
        let batched = Self.lines(bench).flatMap { $0 }.sorted()
        #expect(batched == (0..<line).map { $0 + 1 }, "SMSPIPE_SEED=\(seed)")
    }
}
