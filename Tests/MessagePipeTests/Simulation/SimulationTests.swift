// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MessagePipe
import Testing

struct SimulationTests {
    /// How many runs: `SMSPIPE_RUNS`, or few enough for a debug build.
    static let runCount: Int = {
        if let count = ProcessInfo.processInfo.environment["SMSPIPE_RUNS"].flatMap(Int.init) { return count }
        #if DEBUG
            return 1_000
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

    @Test func `the simulated world is rich: every outcome and every stop happens often`() {
        var outcomes: [Outcome: Int] = [:]
        var stops: [String: Int] = [:]
        var lookUps = 0
        for seed in UInt64(1)...600 {
            var simulation = Simulation(seed: seed)
            try? simulation.run()
            for outcome in Outcome.allCases { outcomes[outcome, default: 0] += simulation.tally[outcome] }
            switch simulation.stop {
            case nil: break
            case .credentials, .account: stops["account", default: 0] += 1
            case .unreachable: stops["unreachable", default: 0] += 1
            case .signal: stops["signal", default: 0] += 1
            case .outputClosed, .outputFailed, .journalFailed: stops["output", default: 0] += 1
            }
            lookUps += simulation.tally.lookUps
        }
        for outcome in Outcome.allCases { #expect(outcomes[outcome, default: 0] > 100, "\(outcome)") }
        #expect(stops.count == 4 && stops.values.allSatisfy { $0 > 10 })
        #expect(lookUps > 100)
    }
}
