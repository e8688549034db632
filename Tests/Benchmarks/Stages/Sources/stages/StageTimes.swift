// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The stages, in the order of a message's way; identities and records are a journal's.
enum Stage: Int, CaseIterable {
    case split, scan, parse, identify, batch, record, encode, sign, answer, respond
}

/// How long each stage took, and how many bytes came out of it.
struct StageTimes {
    private var nanoseconds = [Int64](repeating: 0, count: Stage.allCases.count)
    private var bytes = [Int](repeating: 0, count: Stage.allCases.count)
    private var last = StageTimes.now
    var messages = 0

    /// Begins the next lap, which `ended` ends.
    mutating func began() {
        last = Self.now
    }

    /// The time since the last lap was a stage's.
    mutating func ended(_ stage: Stage, bytes count: Int = 0) {
        let now = Self.now
        nanoseconds[stage.rawValue] += now - last
        bytes[stage.rawValue] += count
        last = now
    }

    /// Keeps the shortest time of each stage.
    mutating func keepBest(of times: StageTimes) {
        guard messages > 0 else {
            self = times
            return
        }
        for index in nanoseconds.indices { nanoseconds[index] = min(nanoseconds[index], times.nanoseconds[index]) }
    }

    func printTable() {
        print("stage      ns/message  bytes/message   GB/s")
        for stage in Stage.allCases {
            let time = Double(nanoseconds[stage.rawValue]) / Double(messages)
            let size = Double(bytes[stage.rawValue]) / Double(messages)
            let columns = [tenths(time, 11), tenths(size, 14), tenths(size / time, 6)]
            print("\(stage)".padded(10) + columns.joined())
        }
    }

    private func tenths(_ value: Double, _ width: Int) -> String {
        let scaled = value.isFinite ? Int((value * 10).rounded()) : 0
        let text = scaled == 0 ? "" : "\(scaled / 10).\(scaled % 10)"
        return String(repeating: " ", count: max(1, width - text.count)) + text
    }

    private static var now: Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
