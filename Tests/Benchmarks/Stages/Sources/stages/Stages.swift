// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Glibc
import MessagePipe

/// The stages of a message's way, one after the other on one thread: how long each takes, and how many bytes go through.
///
/// `stages FILE [REPETITIONS]` prints a table; `stages FILE 1 STAGE` runs up to one stage only, for callgrind to count.
@main
struct Stages {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count > 1, let input = readInput(arguments[1]) else {
            print("usage: stages FILE [REPETITIONS [STAGE]]")
            exit(64)
        }
        let repetitions = arguments.count > 2 ? Int(arguments[2]) ?? 5 : 5
        var run = StageRun(upTo: arguments.count > 3 ? arguments[3] : nil)
        for _ in 0..<repetitions { run.pass(input) }
        run.printTable()
    }

    private static func readInput(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}

/// Runs the stages over an input and keeps the best time of each.
struct StageRun: ~Copyable {
    private static let names = ["split", "scan", "parse", "batch", "encode", "sign", "answer", "respond"]

    private let last: Int
    private var best = [Int64](repeating: .max, count: StageRun.names.count)
    private var bytes = [Int](repeating: 0, count: StageRun.names.count)
    private var messages = 0

    init(upTo stage: String?) {
        last = stage.flatMap { Self.names.firstIndex(of: $0) } ?? Self.names.count - 1
    }

    mutating func pass(_ input: [UInt8]) {
        var time = [Int64](repeating: 0, count: Self.names.count)
        bytes = [Int](repeating: 0, count: Self.names.count)
        messages = 0
        var splitter = LineSplitter(maximumLineBytes: 1 << 20)
        var parser = MessageParser(defaults: .init(), maximumLineBytes: 1 << 20)
        var engine = Engine(.init(runID: "0123456789abcdef"), seed: 1)
        var signer = RequestSigner(
            scheme: .v3,
            credentials: Credentials(accessKeyID: "testid", accessKeySecret: Secret("testsecret")),
        )
        var generator = SeededGenerator(seed: 1)
        var members: [JSONMember] = []
        var contents = RequestContents()
        var call = Call(.sendBatchSms)
        var output: [UInt8] = []
        let answer = Answer(
            codeClass: .success,
            code: "OK",
            message: "OK",
            bizID: "900619746936498440^0",
            requestID: "2184201F-BFB3-446B-B1F2-C746B7BF0657",
        )
        let span = input.span
        var block = LineBlock()
        var offset = 0
        while offset < input.count {
            let end = min(offset + (256 << 10), input.count)
            var clock = StageClock()
            var spare = engine.takeSpareChunk() ?? Chunk()
            swap(&block.bytes, &spare.bytes)
            block = splitter.append(span.extracting(offset..<end), reusing: block)
            time[0] += clock.lap()
            bytes[0] += end - offset
            offset = end
            messages += block.lines.count
            guard last >= 1 else {
                block.removeAll()
                continue
            }
            if last == 1 || last == Self.names.count - 1 {
                for line in block.lines {
                    let range = Int(line.bytes.start)..<Int(line.bytes.start + line.bytes.count)
                    _ = try? JSONScanner.scanObject(block.bytes.span, in: range, into: &members)
                    bytes[1] += range.count
                }
                time[1] += clock.lap()
            }
            guard last >= 2 else {
                block.removeAll()
                continue
            }
            let chunk = parser.parse(block, lines: 0..<block.lines.count, reusing: spare)
            time[2] += clock.lap()
            bytes[2] += block.bytes.count
            block.removeAll()
            guard last >= 3 else { continue }
            engine.chunkArrived(chunk, at: Instant(nanoseconds: 0))
            time[3] += clock.lap()
            while let request = engine.nextRequest(at: Instant(nanoseconds: 0), sendDate: 20_260_101) {
                time[3] += clock.lap()
                guard last >= 4 else { continue }
                call.assignSendBatchSms(request.id, of: engine, contents: &contents)
                time[4] += clock.lap()
                bytes[4] += call.form.bytes.count
                let signed = signer.sign(call, host: "localhost", at: 1_700_000_000, nonce: Nonce(using: &generator))
                time[5] += clock.lap()
                bytes[5] += signed.body.count
                engine.answered(request.id, answer, at: Instant(nanoseconds: 0))
                time[6] += clock.lap()
            }
            output.removeAll(keepingCapacity: true)
            engine.takeOutput(into: &output, upTo: .max)
            time[7] += clock.lap()
            bytes[7] += output.count
        }
        for index in time.indices { best[index] = min(best[index], time[index]) }
    }

    func printTable() {
        print("stage        ns/message    bytes/message    GB/s")
        for (index, name) in Self.names.enumerated() where index <= last {
            let perMessage = Double(best[index]) / Double(messages)
            let size = Double(bytes[index]) / Double(messages)
            let columns = [
                pad(name, 10), pad(tenths(perMessage), 12), pad(tenths(size), 16), tenths(size / perMessage),
            ]
            print(columns.joined(separator: " "))
        }
    }

    private func tenths(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let scaled = Int((value * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

/// Measures from one lap to the next.
struct StageClock {
    private var last = StageClock.now

    mutating func lap() -> Int64 {
        let now = Self.now
        defer { last = now }
        return now - last
    }

    private static var now: Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
