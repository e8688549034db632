// SPDX-License-Identifier: Apache-2.0

import Glibc
package import MessagePipe
import Synchronization

/// Reads the inputs one after the other on a thread of its own: blocking `read(2)`, split and parsed before anyone else is troubled.
///
/// It reads only what it has credit for. Every read is preceded by a `poll(2)`, so that a silent input holds up nothing: the
/// end of reading is noticed, and a pause in the input is told.
package final class InputReader: Sendable {
    /// What the reader has to tell, in order.
    package enum Event: Sendable {
        /// Messages were read.
        case arrived(Chunk)
        /// No more input is ready now.
        case idled
        /// The input has ended, or reading it was stopped.
        case ended
        /// An input cannot be read; reading has ended.
        case failed(InputError)
    }

    /// How much is read at once, in bytes: reads of 256 KiB took 1 % less CPU for a million messages and a mebibyte more memory,
    /// reads of 64 KiB took 4 % more CPU.
    private static let readSize = 128 << 10

    private let descriptors: [(name: String, descriptor: Int32)]
    private let parser: any LineParser
    private let maximumLineBytes: Int
    private let credit: InputCredit
    private let stopSignal = StopSignal()
    private let report: @Sendable (Event) -> Void
    private let read = Atomic(0)

    /// How many bytes were read so far.
    package var bytesRead: Int { read.load(ordering: .relaxed) }

    /// How many bytes there are to read in all; `nil` unless every input is a file.
    package let bytesToRead: Int?

    /// Creates a reader; it reads once it runs.
    ///
    /// - Parameters:
    ///   - descriptors: Open files, with their names for messages.
    ///   - parser: Makes messages of lines.
    ///   - maximumLineBytes: The longest line that is accepted.
    ///   - credit: How much may be read.
    ///   - report: Takes events, on the reader's thread.
    package init(
        _ descriptors: [(name: String, descriptor: Int32)],
        parser: any LineParser,
        maximumLineBytes: Int,
        credit: InputCredit,
        report: @escaping @Sendable (Event) -> Void,
    ) {
        self.descriptors = descriptors
        self.parser = parser
        self.maximumLineBytes = maximumLineBytes
        self.credit = credit
        self.report = report
        bytesToRead = Self.totalSize(descriptors.map(\.descriptor))
    }

    private static func totalSize(_ descriptors: [Int32]) -> Int? {
        var total = 0
        for descriptor in descriptors {
            var status = stat()
            guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            // A file may come with its beginning read already.
            let size = max(0, Int(status.st_size) - max(0, Int(lseek(descriptor, 0, SEEK_CUR))))
            let (sum, isBeyond) = total.addingReportingOverflow(size)
            guard !isBeyond else { return nil }
            total = sum
        }
        return total
    }

    /// Ends reading: what was read is still reported.
    package func stop() {
        credit.stop()
        stopSignal.raise()
    }

    /// Reads until all inputs have ended or reading is stopped, and closes them; for a thread of its own.
    package func run() {
        readInputs()
        stopSignal.close()
    }

    private func readInputs() {
        var unread = descriptors.map(\.descriptor)[...]
        defer { for descriptor in unread where descriptor != STDIN_FILENO { close(descriptor) } }
        var parser = parser
        // Not filled with zeros: a short run would wait for pages that it does not read into.
        var buffer: [UInt8] = []
        var block = LineBlock()
        var lineNumber: UInt64 = 0
        for (name, descriptor) in descriptors {
            // A line ends with its file; the numbers go on, so that each names one line.
            var splitter = LineSplitter(maximumLineBytes: maximumLineBytes, after: lineNumber)
            var isEnded = false
            while !isEnded {
                guard !credit.isStopped, waitUntilReadable(descriptor) else {
                    report(.ended)
                    return
                }
                let (count, error) = Self.read(descriptor, into: &buffer)
                if count < 0 {
                    if error == EINTR || error == EAGAIN { continue }
                    report(.failed(InputError(name: name, number: error)))
                    return
                }
                read.add(count, ordering: .relaxed)
                isEnded = count == 0
                if isEnded {
                    deliver(splitter.finish(), reusing: Chunk(), parser: &parser)
                } else {
                    var chunk = credit.takeSpare(for: count) ?? Chunk()
                    swap(&block.bytes, &chunk.bytes)
                    // A buffer that is half empty, as after each read of a pipe, would hold more memory than its lines.
                    block =
                        count > Self.readSize / 2
                        ? splitter.append(takingOver: &buffer, reusing: block)
                        : splitter.append(buffer.span.extracting(LineSplitter.headroom...), reusing: block)
                    deliver(block, reusing: chunk, parser: &parser)
                    block.removeAll()
                }
            }
            lineNumber = splitter.lineNumber
            if descriptor != STDIN_FILENO { close(descriptor) }
            unread.removeFirst()
        }
        report(.ended)
    }

    /// Reads once, into the buffer behind a line splitter's headroom.
    ///
    /// - Returns: What `read(2)` returned, and the system's error number if that is negative.
    private static func read(_ descriptor: Int32, into buffer: inout [UInt8]) -> (count: Int, error: Int32) {
        buffer.removeAll(keepingCapacity: true)
        buffer.reserveCapacity(LineSplitter.headroom + readSize)
        buffer.append(contentsOf: repeatElement(0, count: LineSplitter.headroom))
        var result = (count: 0, error: Int32(0))
        buffer.append(addingCapacity: readSize) { output in
            unsafe output.withUnsafeMutableBufferPointer { bytes, filled in
                let count = unsafe Glibc.read(descriptor, bytes.baseAddress, readSize)
                result = (count, errno)
                filled = max(0, count)
            }
        }
        return result
    }

    /// Parses and reports a block's lines, as credit comes in.
    ///
    /// - Parameters:
    ///   - block: The lines.
    ///   - spare: An empty chunk whose storage is used.
    ///   - parser: Parses them.
    private func deliver(_ block: LineBlock, reusing spare: consuming Chunk, parser: inout any LineParser) {
        var next = 0
        var spare: Chunk? = spare
        while next < block.lines.count {
            // What was read when reading is stopped is reported all the same: every line that was read is answered.
            let taken = credit.take(upTo: block.lines.count - next) ?? block.lines.count - next
            let chunk = parser.parse(block, lines: next..<(next + taken), reusing: spare.take() ?? Chunk())
            credit.take(bytes: chunk.byteCount)
            report(.arrived(chunk))
            next += taken
        }
    }

    /// Waits for input, having told that none is ready if so.
    ///
    /// - Returns: Whether there is something to read; else reading is to stop.
    private func waitUntilReadable(_ descriptor: Int32) -> Bool {
        var polled = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopSignal.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        var timeout: Int32 = 0
        while true {
            let ready = unsafe poll(&polled, nfds_t(polled.count), timeout)
            if ready < 0, errno == EINTR { continue }
            if polled[1].revents != 0 || credit.isStopped { return false }
            // A descriptor that cannot be polled, such as a regular file on some systems, is simply read.
            guard ready == 0 else { return true }
            if timeout == 0 { report(.idled) }
            timeout = stopSignal.patience
        }
    }
}
