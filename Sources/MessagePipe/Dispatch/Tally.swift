// SPDX-License-Identifier: Apache-2.0

/// What a run has done so far, in numbers.
package struct Tally: Equatable, Sendable {
    /// Messages read.
    package internal(set) var messages = 0
    /// Requests that went to the gateway, look-ups not counted; in a dry run those that would have gone.
    package internal(set) var requests = 0
    /// Look-ups that went to the gateway.
    package internal(set) var lookUps = 0
    /// Requests refused for sending too fast.
    package internal(set) var throttled = 0
    /// Messages answered as the journal has it.
    package internal(set) var replayed = 0
    /// Groups of records that were brought to stable storage.
    package internal(set) var syncs = 0
    /// Requests that are with the gateway.
    package internal(set) var inFlight = 0
    /// Answered messages by code.
    package private(set) var codes: [String: Int] = [:]
    /// How long answers took.
    package internal(set) var latencies = LatencyHistogram()
    private var outcomes = InlineArray<6, Int>(repeating: 0)

    /// Answered messages with an outcome.
    package subscript(outcome: Outcome) -> Int { outcomes[Self.index(outcome)] }

    /// Messages that have their outcome.
    package var answered: Int {
        var sum = 0
        for index in outcomes.indices { sum += outcomes[index] }
        return sum
    }

    mutating func count(_ response: Response, messages: Int) {
        outcomes[Self.index(response.outcome)] += messages
        codes[response.code, default: 0] += messages
    }

    package static func == (one: Tally, other: Tally) -> Bool {
        Outcome.allCases.allSatisfy { one[$0] == other[$0] } && one.messages == other.messages
            && one.requests == other.requests && one.lookUps == other.lookUps && one.throttled == other.throttled
            && one.replayed == other.replayed && one.syncs == other.syncs
            && one.inFlight == other.inFlight && one.codes == other.codes && one.latencies == other.latencies
    }

    private static func index(_ outcome: Outcome) -> Int {
        switch outcome {
        case .accepted: 0
        case .rejected: 1
        case .invalid: 2
        case .unknown: 3
        case .skipped: 4
        case .planned: 5
        }
    }
}

/// How long requests took, in twelve buckets an octave: a figure is too high by a twelfth at most.
package struct LatencyHistogram: Equatable, Sendable {
    private static let bucketsPerOctave = 12
    private var counts = [UInt32](repeating: 0, count: 30 * bucketsPerOctave)
    /// How many requests were recorded.
    package private(set) var total = 0

    init() {}

    /// The latency that a share of the requests, from 0 to 1, did not exceed; `nil` when none was recorded.
    package func percentile(_ share: Double) -> Duration? {
        guard total > 0 else { return nil }
        var left = max(1, Int((share * Double(total)).rounded(.up)))
        for (index, count) in counts.enumerated() {
            left -= Int(count)
            if left <= 0 { return .microseconds(Self.microseconds(index)) }
        }
        return .microseconds(Self.microseconds(counts.count - 1))
    }

    mutating func record(_ latency: Duration) {
        total += 1
        counts[Self.bucket(latency.nanoseconds / 1000)] &+= 1
    }

    /// Octave by the leading bit, place within it by the bits behind: no logarithm needed.
    private static func bucket(_ microseconds: Int64) -> Int {
        guard microseconds > 0 else { return 0 }
        let octave = 63 - microseconds.leadingZeroBitCount
        let within = Int(((microseconds - 1 << octave) * Int64(bucketsPerOctave)) >> octave)
        return min(octave * bucketsPerOctave + within, 30 * bucketsPerOctave - 1)
    }

    private static func microseconds(_ bucket: Int) -> Int64 {
        let octave = bucket / bucketsPerOctave
        return 1 << octave + Int64(bucket % bucketsPerOctave + 1) << octave / Int64(bucketsPerOctave)
    }
}
