// SPDX-License-Identifier: Apache-2.0

import Glibc
import MessagePipe
import PipeRuntime
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InputReaderTests {
    private static let line = #"{"PhoneNumber":"13900000000","SignName":"甲","TemplateCode":"T"}"# + "\n"

    @Test func `reads a file and tells its size`() async {
        let file = Descriptor(holding: String(repeating: Self.line, count: 3))
        let run = ReaderRun([("a", file.copy())])
        #expect(run.reader.bytesToRead == 3 * Self.line.utf8.count)
        #expect(await run.lines() == [1, 2, 3])
        #expect(await run.end() == .ended)
        #expect(run.reader.bytesRead == 3 * Self.line.utf8.count)
    }

    @Test func `tells how much of a file is left, where reading does not begin at its start`() async {
        let file = Descriptor(holding: String(repeating: Self.line, count: 3))
        _ = file.readLine()
        let run = ReaderRun([("a", file.copy())])
        #expect(run.reader.bytesToRead == 2 * Self.line.utf8.count)
        #expect(await run.lines() == [1, 2])
    }

    @Test func `numbers the lines on across files, and ends a line with its file`() async {
        let files = [Self.line + String(Self.line.dropLast()), "", Self.line].map { Descriptor(holding: $0) }
        let run = ReaderRun(files.map { ("f", $0.copy()) })
        #expect(await run.lines() == [1, 2, 3])
        #expect(await run.end() == .ended)
    }

    @Test func `closes its inputs, those too that it was stopped before`() async {
        let pipes = [TestPipe(), TestPipe()]
        let run = ReaderRun(pipes.map { ("p", $0.readEnd.copy()) })
        for pipe in pipes { pipe.readEnd.close() }
        #expect(await run.next() == .idled)
        run.reader.stop()
        await run.finish()
        // Nobody reads what is written any more.
        #expect(pipes.allSatisfy { !$0.write("x") })
    }

    @Test func `reads nothing from /dev/null`() async {
        let run = ReaderRun([("null", Descriptor(opening: "/dev/null").copy())])
        #expect(run.reader.bytesToRead == nil)
        #expect(await run.end() == .ended)
    }

    @Test func `tells each pause of a slow pipe, and puts a line together that comes in pieces`() async {
        let pipe = TestPipe()
        let run = ReaderRun([("p", pipe.readEnd.copy())])
        #expect(await run.next() == .idled)
        pipe.write(Self.line + "{\"Pho")
        #expect(await run.next() == .arrived([1]))
        #expect(await run.next() == .idled)
        pipe.write(String(Self.line.dropFirst(5)))
        #expect(await run.next() == .arrived([2]))
        #expect(await run.next() == .idled)
        pipe.writeEnd.close()
        #expect(await run.next() == .ended)
    }

    @Test(arguments: [EBADF, EISDIR])
    func `tells an input that cannot be read by its name`(_ number: Int32) async {
        let descriptor = number == EBADF ? 1_000_000 : Descriptor(opening: "/").copy()
        let file = Descriptor(holding: Self.line)
        let run = ReaderRun([("good", file.copy()), ("bad", descriptor)])
        #expect(await run.lines() == [1])
        #expect(await run.end() == .failed("bad", number))
    }

    @Test func `ends when it is stopped while the input is silent`() async {
        let pipe = TestPipe()
        let run = ReaderRun([("p", pipe.readEnd.copy())])
        #expect(await run.next() == .idled)
        run.reader.stop()
        #expect(await run.next() == .ended)
        // It can be stopped again, and after its end.
        run.reader.stop()
    }

    @Test func `reads nothing when it is stopped before it runs`() async {
        let run = ReaderRun([("f", Descriptor(holding: Self.line).copy())], isStarted: false)
        run.reader.stop()
        run.start()
        #expect(await run.next() == .ended)
    }

    @Test func `reports all that was read when it is stopped while it waits for credit`() async {
        let file = Descriptor(holding: String(repeating: Self.line, count: 10))
        let run = ReaderRun([("f", file.copy())], messages: 4)
        #expect(await run.next() == .arrived([1, 2, 3, 4]))
        run.credit.give(messages: 2, bytes: 0)
        #expect(await run.next() == .arrived([5, 6]))
        run.reader.stop()
        #expect(await run.next() == .arrived([7, 8, 9, 10]))
        #expect(await run.next() == .ended)
    }
}

/// A reader on its thread, and what it reports.
private final class ReaderRun {
    enum Event: Equatable {
        case arrived([UInt64])
        case idled
        case ended
        case failed(String, Int32)
    }

    let credit: InputCredit
    let reader: InputReader
    private var events: AsyncStream<InputReader.Event>.Iterator
    private var ended: Task<Void, Never>?

    init(_ inputs: [(name: String, descriptor: Int32)], messages: Int = 1000, isStarted: Bool = true) {
        let (stream, continuation) = AsyncStream.makeStream(of: InputReader.Event.self)
        events = stream.makeAsyncIterator()
        credit = InputCredit(Window(messages: messages, bytes: 1 << 20))
        reader = InputReader(
            inputs,
            parser: MessageParser(defaults: MessageParser.Defaults(), maximumLineBytes: 1 << 10),
            maximumLineBytes: 1 << 10,
            credit: credit,
        ) { continuation.yield($0) }
        if isStarted { start() }
    }

    func start() {
        ended = Task { [reader] in await onThread { reader.run() } }
    }

    /// Waits for the end of the reader's thread.
    func finish() async { await ended?.value }

    func next() async -> Event? {
        switch await events.next(isolation: #isolation) {
        case .arrived(let chunk): .arrived(chunk.messages.map(\.line))
        case .idled: .idled
        case .ended: .ended
        case .failed(let error): .failed(error.name, error.number)
        case nil: nil
        }
    }

    private var last: Event?

    /// The numbers of all lines.
    func lines() async -> [UInt64] {
        var lines: [UInt64] = []
        while let event = await next() {
            switch event {
            case .arrived(let arrived): lines += arrived
            case .idled: continue
            case .ended, .failed:
                last = event
                return lines
            }
        }
        return lines
    }

    /// How it ended.
    func end() async -> Event? {
        if last == nil { _ = await lines() }
        return last
    }
}
