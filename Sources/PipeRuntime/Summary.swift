// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// What a run has done, as one JSON line.
package struct Summary: Sendable {
    private let progress: Progress

    /// Creates the summary of a run, or of what it has done so far.
    package init(_ progress: Progress) {
        self.progress = progress
    }

    /// The line, without its line break; latencies are in milliseconds, the duration in seconds.
    package var line: String {
        let tally = progress.tally
        var text = Array("{\"Messages\":\(tally.messages)".utf8)
        for outcome in Outcome.allCases {
            let name = outcome.rawValue.prefix(1).uppercased() + outcome.rawValue.dropFirst()
            text.append(contentsOf: ",\"\(name)\":\(tally[outcome])".utf8)
        }
        text.append(contentsOf: ",\"Codes\":{".utf8)
        for (index, (code, count)) in tally.codes.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            JSONText.appendString(code, to: &text)
            text.append(contentsOf: ":\(count)".utf8)
        }
        text.append(contentsOf: "},\"Requests\":\(tally.requests),\"LookUps\":\(tally.lookUps)".utf8)
        text.append(contentsOf: ",\"Throttled\":\(tally.throttled),\"Bytes\":\(progress.bytesRead)".utf8)
        text.append(contentsOf: ",\"Replayed\":\(tally.replayed),\"Syncs\":\(tally.syncs)".utf8)
        text.append(contentsOf: ",\"Seconds\":\(Self.decimal(progress.duration, per: 1))".utf8)
        text.append(contentsOf: ",\"LatencyMilliseconds\":{".utf8)
        for (index, (name, share)) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)].enumerated() {
            let latency = tally.latencies.percentile(share).map { Self.decimal($0, per: 1000) } ?? "null"
            text.append(contentsOf: "\(index > 0 ? "," : "")\"\(name)\":\(latency)".utf8)
        }
        text.append(contentsOf: "}}".utf8)
        return String(decoding: text, as: UTF8.self)
    }

    /// A duration times a factor in seconds, with three decimals.
    static func decimal(_ duration: Duration, per factor: Int64) -> String {
        let thousandths = duration.nanoseconds * factor / 1_000_000
        let decimals = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - decimals.count) + decimals
    }
}
