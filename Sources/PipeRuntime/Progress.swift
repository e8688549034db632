// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

/// What a run has done so far, for people who watch it.
package struct Progress: Equatable, Sendable {
    /// What was done.
    package var tally: Tally
    /// How long it has taken.
    package var duration: Duration
    /// How many bytes were read.
    package var bytesRead: Int
    /// How many bytes there are to read; `nil` unless all inputs are files.
    package var bytesToRead: Int?

    /// Creates a state.
    package init(tally: Tally, duration: Duration, bytesRead: Int, bytesToRead: Int?) {
        self.tally = tally
        self.duration = duration
        self.bytesRead = bytesRead
        self.bytesToRead = bytesToRead
    }

    /// The state as one line of text, without its line break.
    ///
    /// What matters most comes first; what does not fit is left out whole.
    ///
    /// - Parameter width: The most columns to use.
    /// - Returns: ASCII text, so that its length is its width.
    package func line(width: Int) -> String {
        var parts = ["\(Self.grouped(tally.messages)) messages", "\(Self.grouped(rate))/s"]
        for outcome in [Outcome.accepted, .rejected, .unknown] {
            parts.append("\(outcome.rawValue) \(Self.grouped(tally[outcome]))")
        }
        parts.append("in flight \(tally.inFlight)")
        if let remaining { parts.append("ETA \(Self.clock(remaining))") }
        for outcome in [Outcome.invalid, .skipped] where tally[outcome] > 0 {
            parts.append("\(outcome.rawValue) \(Self.grouped(tally[outcome]))")
        }
        var line = ""
        for part in parts {
            let next = line.isEmpty ? part : "\(line)  \(part)"
            guard next.utf8.count <= width else { break }
            line = next
        }
        return line
    }

    /// What is said when the run has ended.
    package var finalLine: String {
        let outcomes = Outcome.allCases.filter { tally[$0] > 0 }.map { "\(Self.grouped(tally[$0])) \($0.rawValue)" }
        let tenths = duration.nanoseconds / 100_000_000
        let time = "\(tenths / 10).\(tenths % 10) s"
        let total = "\(Self.grouped(tally.messages)) messages in \(time), \(Self.grouped(tally.requests)) requests"
        return outcomes.isEmpty ? total : "\(total): \(outcomes.joined(separator: ", "))"
    }

    /// Answered messages a second.
    private var rate: Int {
        let nanoseconds = duration.nanoseconds
        return nanoseconds > 0 ? Int(Double(tally.answered) * 1e9 / Double(nanoseconds)) : 0
    }

    /// How long the rest of the input will take, if it goes on like this.
    private var remaining: Duration? {
        guard let bytesToRead, bytesRead > 0, bytesToRead >= bytesRead else { return nil }
        return duration * (Double(bytesToRead - bytesRead) / Double(bytesRead))
    }

    /// A number with a comma before each three digits.
    private static func grouped(_ number: Int) -> String {
        var digits = Array(String(number).utf8)
        var index = digits.count - 3
        while index > 0 {
            digits.insert(UInt8(ascii: ","), at: index)
            index -= 3
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// A duration as `m:ss` or `h:mm:ss`.
    private static func clock(_ duration: Duration) -> String {
        let seconds = (duration + .milliseconds(500)).components.seconds
        let twoDigits = { (value: Int64) in value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        return hours > 0
            ? "\(hours):\(twoDigits(minutes)):\(twoDigits(seconds % 60))"
            : "\(minutes):\(twoDigits(seconds % 60))"
    }
}
