// SPDX-License-Identifier: Apache-2.0

import Foundation
import MessagePipe
import Testing

struct SimulationTests {
    /// How many runs: `SMSPIPE_RUNS`, or few enough for a debug build.
    static let runCount: Int = {
        if let count = ProcessInfo.processInfo.environment["SMSPIPE_RUNS"].flatMap(Int.init) { return count }
        #if DEBUG
            return 2_000
        #else
            return 100_000
        #endif
    }()

    @Test func `every line is answered once, in order and truly, whatever happens`() {
        let started = ContinuousClock.now
        var failures = 0
        for seed in Seed.each(Self.runCount) {
            do {
                var simulation = Simulation(seed: seed)
                try simulation.run()
            } catch {
                failures += 1
                Issue.record(error)
            }
            if failures == 10 { break }
        }
        print("\(Self.runCount) simulated runs in \(started.duration(to: .now))")
    }
}
