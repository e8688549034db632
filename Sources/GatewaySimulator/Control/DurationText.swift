// SPDX-License-Identifier: Apache-2.0

/// Durations as people write them: a number and a unit, such as `50ms`, `1.5s` or `5m`; `0` needs no unit.
package enum DurationText {
    /// Reads a duration; `nil` for text that is none.
    package static func parse(_ text: some StringProtocol) -> Duration? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(number), value >= 0, value < 1e9 else { return nil }
        switch text.dropFirst(number.count) {
        case "us": return .microseconds(value)
        case "ms": return .milliseconds(value)
        case "s": return .seconds(value)
        case "m": return .seconds(value * 60)
        case "h": return .seconds(value * 3_600)
        case "": return value == 0 ? .zero : nil
        default: return nil
        }
    }

    /// The text of a duration, in milliseconds, or in whole seconds where it is made of them.
    package static func text(_ duration: Duration) -> String {
        let milliseconds = duration / .milliseconds(1)
        guard milliseconds.truncatingRemainder(dividingBy: 1_000) != 0 else { return "\(Int(milliseconds / 1_000))s" }
        return milliseconds == milliseconds.rounded() ? "\(Int(milliseconds))ms" : "\(milliseconds)ms"
    }
}

extension Latency {
    /// Reads a latency such as `50ms` or `50ms±20ms`; `nil` for text that is none.
    package init?(text: String) {
        let parts = text.split(separator: "±", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let base = DurationText.parse(parts[0]),
            let jitter = parts.count == 2 ? DurationText.parse(parts[1]) : .zero
        else { return nil }
        self.init(base, jitter: jitter)
    }

    /// The latency as the command line writes it.
    package var text: String {
        jitter == .zero ? DurationText.text(base) : "\(DurationText.text(base))±\(DurationText.text(jitter))"
    }
}
