// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import MessagePipe

/// Checks the options that sending and asking have in common.
///
/// - Throws: `ValidationError` for the first that is out of bounds.
func checkBounds(window: Int?, concurrency: Int, maxLine: ByteCount, timeout: TimeSpan) throws {
    // The texts of a batch, and the lines of a block, are found by 32 bits: more than these could be beyond them.
    guard (1...4_000_000).contains(window ?? 1) else { throw ValidationError("--window must be from 1 to 4000000.") }
    guard (1...10000).contains(concurrency) else { throw ValidationError("--concurrency must be from 1 to 10000.") }
    // As a line may double when it is rewritten, and treble when it is encoded.
    guard (1...(256 << 20)).contains(maxLine.bytes) else {
        throw ValidationError("--max-line must be from one byte to 256MiB.")
    }
    guard timeout.duration > .zero else { throw ValidationError("--timeout must be longer than 0.") }
}

/// What the value of an option looks like, by the name that help texts give it.
enum ValueForm: String, CaseIterable {
    case time, bytes, rate
    case address = "host:port"

    /// The form whose name an error of the options' parser speaks of.
    init?(in error: String) {
        guard error.contains("is invalid for '"),
            let form = Self.allCases.first(where: { error.contains("<\($0.rawValue)>'") })
        else { return nil }
        self = form
    }

    /// One sentence for who has given another one.
    var text: String {
        switch self {
        case .time: "A time is a number with us, ms, s, m or h: 100ms, 1.5s, 2h."
        case .bytes: "A size is a number of bytes, or one with KiB, MiB or GiB: 64KiB."
        case .rate: "A rate is a number with /s, /m or /h: 500/s."
        case .address: "Give a host and a port: 127.0.0.1:8080."
        }
    }
}

/// A length of time with its unit, such as `100ms`, `10s`, `5m`, `1h`; `0` needs none.
struct TimeSpan: ExpressibleByArgument {
    /// More than that is as good as for ever, and is taken for it.
    private static let maximumSeconds = 365.0 * 86_400

    let duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let (number, unit) = splitUnit(argument) else { return nil }
        let seconds: Double
        switch unit {
        case "us", "µs": seconds = number / 1_000_000
        case "ms": seconds = number / 1_000
        case "s": seconds = number
        case "m": seconds = number * 60
        case "h": seconds = number * 3600
        case "" where number == 0: seconds = 0
        default: return nil
        }
        duration = .nanoseconds(Int64((min(seconds, Self.maximumSeconds) * 1e9).rounded()))
    }

    var defaultValueDescription: String {
        let milliseconds = duration.nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

/// A number of bytes with its unit, such as `64KiB`, `1MiB`; plain bytes need none.
struct ByteCount: ExpressibleByArgument {
    let bytes: Int

    init(_ bytes: Int) {
        self.bytes = bytes
    }

    init?(argument: String) {
        guard let (number, unit) = splitUnit(argument) else { return nil }
        let factor: Double
        switch unit {
        case "", "B": factor = 1
        case "KiB": factor = 1024
        case "MiB": factor = 1024 * 1024
        case "GiB": factor = 1024 * 1024 * 1024
        default: return nil
        }
        guard let bytes = Int(exactly: (number * factor).rounded(.down)) else { return nil }
        self.bytes = bytes
    }

    var defaultValueDescription: String {
        bytes % (1 << 20) == 0 ? "\(bytes >> 20)MiB" : "\(bytes >> 10)KiB"
    }
}

/// Messages a second, such as `500/s`.
struct MessageRate: ExpressibleByArgument {
    let messagesPerSecond: Double

    init?(argument: String) {
        guard let (number, unit) = splitUnit(argument) else { return nil }
        switch unit {
        case "/s": messagesPerSecond = number
        case "/m": messagesPerSecond = number / 60
        case "/h": messagesPerSecond = number / 3600
        default: return nil
        }
        // One in twelve days is no rate, and a wait for a hundred of them has to fit a clock.
        guard messagesPerSecond >= 1e-6 else { return nil }
    }
}

/// Template codes joined by commas, with or without blanks.
struct TemplateList: ExpressibleByArgument {
    let codes: Set<String>

    init?(argument: String) {
        codes = Set(argument.split { $0 == "," || $0.isWhitespace }.map(String.init))
        guard !codes.isEmpty else { return nil }
    }
}

/// Takes a text apart into a number that is not negative and what follows it.
private func splitUnit(_ text: String) -> (Double, Substring)? {
    let end = text.firstIndex { !($0.isASCII && $0.isNumber || $0 == ".") } ?? text.endIndex
    guard let number = Double(text[..<end]), number.isFinite else { return nil }
    return (number, text[end...])
}
