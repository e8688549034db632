// SPDX-License-Identifier: Apache-2.0

import Dispatch
import MessagePipe
import NIOCore

/// The reader and the writer of a run, each on a thread of its own, as the run's event loop sees them.
///
/// Whole chunks come in and whole buffers go out. It keeps the account of both: how much may be read, and how many buffers are
/// with the writer. Belongs to the event loop.
final class LineThreads {
    /// How much output is gathered for one write, in bytes.
    private static let outputSize = 256 << 10

    private let credit: InputCredit
    private var reader: InputReader?
    /// `nil` before the start and once nothing more is written.
    private var output: OrderedOutput?
    /// Empty between writes.
    private var buffer: [UInt8] = []
    /// How many buffers are with the writer.
    private var writes = 0
    private var window: Window
    private var given: (messages: Int, bytes: Int) = (0, 0)
    private var isPaused = false

    /// The input that could not be read to its end.
    private(set) var inputError: InputError?

    /// - Parameter window: How much may be read and not yet answered at first.
    init(window: Window) {
        self.window = window
        credit = InputCredit(window)
    }

    /// Starts both threads.
    ///
    /// - Parameters:
    ///   - inputs: Open inputs with their names, read one after the other.
    ///   - parser: Makes messages of lines.
    ///   - maximumLineBytes: The longest line that is accepted.
    ///   - outputDescriptor: Where lines go.
    ///   - eventLoop: The run's; it ends with the writer.
    ///   - door: The way onto it.
    ///   - read: Takes what the reader tells, on the event loop.
    ///   - wrote: Takes what the writer tells, on the event loop.
    func start(
        _ inputs: [(name: String, descriptor: Int32)],
        parser: any LineParser,
        maximumLineBytes: Int,
        outputDescriptor: Int32,
        on eventLoop: any EventLoop,
        _ door: LoopDoor,
        read: @escaping (InputReader.Event) -> Void,
        wrote: @escaping (OrderedOutput.Event) -> Void,
    ) {
        let bound = NIOLoopBound((threads: self, read: read, wrote: wrote), eventLoop: eventLoop)
        let tell: @Sendable (OrderedOutput.Event, Bool) -> Void = { event, isOfBuffer in
            door.execute {
                bound.value.threads.note(event, isOfBuffer: isOfBuffer)
                bound.value.wrote(event)
            }
        }
        let output = OrderedOutput(descriptor: outputDescriptor, report: tell)
        let reader = InputReader(
            inputs,
            parser: parser,
            maximumLineBytes: maximumLineBytes,
            credit: credit,
        ) { event in
            door.execute {
                bound.value.threads.note(event)
                bound.value.read(event)
            }
        }
        (self.output, self.reader) = (output, reader)
        // Known before the first line is.
        if let failure = output.failureAtStart { tell(failure, false) }
        DispatchQueue(label: "reader").async { reader.run() }
        let queue = DispatchQueue(label: "writer")
        queue.async {
            output.run()
            // The output ends last; what else comes in then is dropped.
            door.close()
            eventLoop.shutdownGracefully(queue: queue) { _ in }
        }
    }

    private func note(_ event: InputReader.Event) {
        switch event {
        case .arrived(let chunk): credit.arrived(bytes: chunk.byteCount)
        case .failed(let error): inputError = error
        case .idled, .ended: break
        }
    }

    private func note(_ event: OrderedOutput.Event, isOfBuffer: Bool) {
        if isOfBuffer { writes -= 1 }
        switch event {
        case .written: break
        case .closed, .failed: stopReading()
        }
    }

    // MARK: - Input

    /// How many bytes were read so far.
    var bytesRead: Int { reader?.bytesRead ?? 0 }

    /// How many bytes there are to read in all; `nil` unless every input is a file.
    var bytesToRead: Int? { reader?.bytesToRead }

    /// Ends reading: what was read is still told.
    func stopReading() { reader?.stop() }

    /// Has the reader wait, or go on, whatever credit there is.
    func pauseReading(_ pauses: Bool) {
        guard pauses != isPaused else { return }
        isPaused = pauses
        credit.pause(pauses)
    }

    /// Gives the reader credit for what has been answered.
    ///
    /// - Parameters:
    ///   - released: How many messages, and bytes of input, were held in all and are not any more.
    ///   - window: How much may be read and not yet answered now.
    ///   - takeSpare: An emptied chunk for the reader to fill again, if there is one.
    func giveCredit(
        _ released: (messages: Int, bytes: Int),
        of window: Window,
        spare takeSpare: () -> Chunk? = { nil },
    ) {
        if window != self.window {
            credit.resize(from: self.window, to: window)
            self.window = window
        }
        guard released != given else { return }
        while let spare = takeSpare() { credit.give(spare) }
        credit.give(messages: released.messages - given.messages, bytes: released.bytes - given.bytes)
        given = released
    }

    // MARK: - Output

    /// Whether the writer takes no more for the moment.
    var isOutputFull: Bool { writes == OrderedOutput.maximumUnreported }

    /// Whether the run may end now: nothing is with the writer, and it has not been told to end.
    var mayEnd: Bool { writes == 0 && output != nil }

    /// Writes lines as far as the writer takes them.
    ///
    /// - Parameter takeLines: Appends whole lines that are due to a buffer; no further one once it holds so many bytes.
    func write(_ takeLines: (_ buffer: inout [UInt8], _ limit: Int) -> Void) {
        guard let output else { return }
        while !isOutputFull {
            if buffer.capacity == 0 { buffer = output.takeSpare() }
            takeLines(&buffer, Self.outputSize)
            guard !buffer.isEmpty else { return }
            writes += 1
            output.write(&buffer)
        }
    }

    /// Ends both threads, and with the writer the event loop.
    func end() {
        stopReading()
        output?.end()
        output = nil
    }
}
