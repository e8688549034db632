// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MessagePipe

/// The seeds of random tests, from the environment so that a failure can be repeated.
enum Seed {
    /// `SMSPIPE_SEED`: the one seed to run; `nil` for the usual ones.
    static let chosen: UInt64? = ProcessInfo.processInfo.environment["SMSPIPE_SEED"].flatMap(UInt64.init)

    /// The seeds from 1 to a count, or the chosen one.
    static func each(_ count: Int) -> [UInt64] {
        if let chosen { return [chosen] }
        return Array(1...UInt64(count))
    }
}

extension RandomNumberGenerator {
    /// Whether something with a chance of one in `outcomes` happens.
    mutating func oneIn(_ outcomes: Int) -> Bool {
        Int.random(in: 0..<outcomes, using: &self) == 0
    }

    /// One of some values.
    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &self)]
    }
}
