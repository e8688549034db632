// SPDX-License-Identifier: Apache-2.0

import Glibc
import PipeRuntime
import Testing

@Suite(.timeLimit(.minutes(1)))
struct OrderedOutputTests {
    /// More than a pipe holds, so that it takes several writes.
    private static let large = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)

    @Test func `writes buffers one after the other, and gives them back`() async {
        let pipe = TestPipe()
        let run = OutputRun(pipe.writeEnd)
        #expect(await run.write([1, 2, 3]) == .written(3))
        #expect(await run.write([4]) == .written(1))
        await run.end()
        #expect(pipe.readEnd.read(upTo: 4) == [1, 2, 3, 4])
    }

    @Test func `takes a second buffer while it writes the first`() async {
        let pipe = TestPipe()
        let run = OutputRun(pipe.writeEnd)
        run.begin(Self.large)
        run.begin([1, 2])
        let read = await onThread { pipe.readEnd.read(upTo: Self.large.count + 2) }
        #expect(read == Self.large + [1, 2])
        #expect(await run.event() == .written(Self.large.count))
        #expect(await run.event() == .written(2))
        await run.end()
    }

    @Test(arguments: [false, true])
    func `writes the whole of a buffer to a slow reader`(_ isNonBlocking: Bool) async {
        let pipe = TestPipe()
        if isNonBlocking { _ = fcntl(pipe.writeEnd.number, F_SETFL, O_NONBLOCK) }
        let run = OutputRun(pipe.writeEnd)
        async let read = onThread {
            var count = 0
            while count < Self.large.count {
                count += pipe.readEnd.read(upTo: min(1000, Self.large.count - count)).count
            }
            return count
        }
        #expect(await run.write(Self.large) == .written(Self.large.count))
        #expect(await read == Self.large.count)
        await run.end()
    }

    @Test(arguments: [false, true])
    func `tells when the reader goes away while it writes`(_ isNonBlocking: Bool) async {
        let pipe = TestPipe()
        if isNonBlocking { _ = fcntl(pipe.writeEnd.number, F_SETFL, O_NONBLOCK) }
        let run = OutputRun(pipe.writeEnd)
        async let event = run.write(Self.large)
        #expect(await onThread { pipe.readEnd.read(upTo: 10).count } == 10)
        pipe.readEnd.close()
        #expect(await event == .closed)
        #expect(await run.write([1]) == .closed)
        await run.end()
    }

    @Test func `tells that the reader has gone though there is nothing to write`() async {
        let pipe = TestPipe()
        let run = OutputRun(pipe.writeEnd)
        #expect(await run.write([1]) == .written(1))
        pipe.readEnd.close()
        #expect(await run.event() == .ofNoBuffer(.closed))
        #expect(await run.write([1]) == .closed)
        await run.end()
    }

    @Test func `knows from the start whether there is anything to write to`() async {
        let pipe = TestPipe()
        let run = OutputRun(pipe.writeEnd)
        #expect(run.failureAtStart == nil)
        pipe.readEnd.close()
        let unread = OutputRun(pipe.writeEnd)
        #expect(unread.failureAtStart == .closed)
        #expect(await unread.write([1]) == .closed)
        let unwritable = OutputRun(Descriptor(opening: "/dev/null", O_RDONLY))
        #expect(unwritable.failureAtStart == .failed(EBADF))
        let notOpen = OutputRun(Descriptor(1_000_000))
        #expect(notOpen.failureAtStart == .failed(EBADF))
        #expect(await notOpen.write([1]) == .failed(EBADF))
        for run in [run, unread, unwritable, notOpen] { await run.end() }
    }

    @Test func `writes nothing behind what could not be written whole`() async {
        let pipe = TestPipe()
        let run = OutputRun(pipe.writeEnd)
        pipe.readEnd.close()
        #expect(await run.write([1]) == .closed)
        // Somebody reads again when the second buffer's turn comes.
        let reader = Descriptor(opening: "/proc/self/fd/\(pipe.writeEnd.number)", O_RDONLY | O_NONBLOCK)
        #expect(await run.write([2]) == .closed)
        await run.end()
        #expect(reader.read(upTo: 1) == [])
    }

    @Test func `tells a full disk and a descriptor that is not open`() async {
        let full = OutputRun(Descriptor(opening: "/dev/full", O_WRONLY))
        #expect(await full.write([1]) == .failed(ENOSPC))
        await full.end()
        let notOpen = OutputRun(Descriptor(1_000_000))
        #expect(await notOpen.write([1]) == .failed(EBADF))
        await notOpen.end()
    }
}

/// An output on its thread.
private final class OutputRun: Sendable {
    enum Event: Equatable, Sendable {
        case written(Int)
        case closed
        case failed(Int32)
        indirect case ofNoBuffer(Event)

        init(_ event: OrderedOutput.Event) {
            switch event {
            case .written(let count): self = .written(count)
            case .closed: self = .closed
            case .failed(let number): self = .failed(number)
            }
        }
    }

    var failureAtStart: Event? { output.failureAtStart.map { Event($0) } }

    private let descriptor: Descriptor
    private let output: OrderedOutput
    private let events: AsyncStream<Event>
    private let ended: Task<Void, Never>

    init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        self.events = events
        let output = OrderedOutput(descriptor: descriptor.number) { event, isOfBuffer in
            continuation.yield(isOfBuffer ? Event(event) : .ofNoBuffer(Event(event)))
        }
        self.output = output
        ended = Task { await onThread { output.run() } }
    }

    func write(_ buffer: [UInt8]) async -> Event? {
        begin(buffer)
        return await event()
    }

    func begin(_ buffer: [UInt8]) {
        var buffer = buffer
        output.write(&buffer)
    }

    func event() async -> Event? {
        for await event in events { return event }
        return nil
    }

    /// Ends the thread, and waits for that.
    func end() async {
        output.end()
        await ended.value
    }
}
