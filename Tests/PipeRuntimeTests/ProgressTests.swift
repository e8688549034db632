// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import PipeRuntime
import Testing

struct ProgressTests {
    @Test func `says what matters most first`() {
        let progress = Progress(tally: .of(12_345), duration: .seconds(10), bytesRead: 0, bytesToRead: nil)
        #expect(
            progress.line(width: 200)
                == "12,345 messages  1,234/s  accepted 0  rejected 0  unknown 0  in flight 0  invalid 12,345"
        )
    }

    @Test(arguments: [
        (0, ""), (9, ""), (10, "0 messages"), (15, "0 messages  0/s"), (26, "0 messages  0/s"),
        (27, "0 messages  0/s  accepted 0"),
    ])
    func `leaves out whole what does not fit`(_ width: Int, _ line: String) {
        let progress = Progress(tally: .of(0), duration: .zero, bytesRead: 0, bytesToRead: nil)
        #expect(progress.line(width: width) == line)
    }

    @Test(arguments: [
        (Duration.seconds(10), 50, 100, "ETA 0:10"),
        (.seconds(1), 1, 100, "ETA 1:39"),
        (.seconds(3600), 1, 3, "ETA 2:00:00"),
        (.seconds(3661), 1, 2, "ETA 1:01:01"),
        (.seconds(10), 100, 100, "ETA 0:00"),
    ])
    func `tells how long a file will take`(_ duration: Duration, _ read: Int, _ toRead: Int, _ eta: String) {
        let line = Progress(tally: .of(0), duration: duration, bytesRead: read, bytesToRead: toRead).line(width: 200)
        #expect(line.hasSuffix("in flight 0  \(eta)"))
    }

    @Test(arguments: [(0, 100), (101, 100), (5, nil)])
    func `gives no estimate where none can be made`(_ read: Int, _ toRead: Int?) {
        let line = Progress(tally: .of(0), duration: .seconds(5), bytesRead: read, bytesToRead: toRead).line(width: 200)
        #expect(!line.contains("ETA"))
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345")])
    func `puts a comma before each three digits`(_ count: Int, _ text: String) {
        let progress = Progress(tally: .of(count), duration: .seconds(1), bytesRead: 0, bytesToRead: nil)
        #expect(progress.line(width: 20).hasPrefix("\(text) messages"))
    }

    @Test func `ends with the outcomes that there were`() {
        let none = Progress(tally: .of(0), duration: .milliseconds(1_290), bytesRead: 0, bytesToRead: nil)
        #expect(none.finalLine == "0 messages in 1.2 s, 0 requests")
        let some = Progress(tally: .of(1_500), duration: .zero, bytesRead: 0, bytesToRead: nil)
        #expect(some.finalLine == "1,500 messages in 0.0 s, 0 requests: 1,500 invalid")
    }

    @Test func `sums up in one JSON line`() {
        let progress = Progress(tally: .of(2), duration: .milliseconds(61_005), bytesRead: 77, bytesToRead: nil)
        #expect(
            Summary(progress).line == """
                {"Messages":2,"Accepted":0,"Rejected":0,"Invalid":2,"Unknown":0,"Skipped":0,"Planned":0,\
                "Codes":{"smspipe.INVALID_JSON":2},"Requests":0,"LookUps":0,"Throttled":0,"Bytes":77,"Replayed":0,"Syncs":0,"Seconds":61.005,\
                "LatencyMilliseconds":{"p50":null,"p95":null,"p99":null,"max":null}}
                """
        )
    }
}

extension Tally {
    /// What an engine counts that has read so many invalid lines.
    fileprivate static func of(_ count: Int) -> Tally {
        var engine = Engine(Engine.Configuration(runID: "run"), seed: 1)
        var splitter = LineSplitter(maximumLineBytes: 100)
        var parser = MessageParser(defaults: MessageParser.Defaults(), maximumLineBytes: 100)
        let size = 1000
        for start in stride(from: 0, to: count, by: size) {
            let lines = String(repeating: "x\n", count: min(size, count - start))
            let block = splitter.append(Array(lines.utf8).span)
            engine.chunkArrived(parser.parse(block, lines: block.lines.indices), at: Instant(nanoseconds: 0))
            var output: [UInt8] = []
            engine.takeOutput(into: &output, upTo: .max)
        }
        return engine.tally
    }
}
