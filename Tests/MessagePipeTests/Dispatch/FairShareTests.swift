// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MessagePipe
import Testing

struct FairShareTests {
    typealias Setting = SharedGateway.Setting

    /// All that processes with 64 requests in flight can reach, where each has a request a second at least.
    ///
    /// Those take minutes, so they are tried with `SMSPIPE_FAIR_SHARE=all` only; else a few of them.
    ///
    /// A small burst is one for an eighth of the processes at least: as they do not come in step, a queue of five overflows
    /// for one in twelve of the requests of 64 processes, however well these find their rates.
    static let settings: [Setting] = {
        var settings: [Setting] = []
        for processes in [1, 4, 16, 64] {
            for rate in [20.0, 100, 1000, 5000] where rate >= Double(processes) {
                for milliseconds in [1, 20, 50, 200] where isTried(processes, rate, milliseconds) {
                    let latency = Duration.milliseconds(milliseconds)
                    settings += [
                        Setting(
                            processes: processes,
                            requestsPerSecond: rate,
                            burst: max(5, Double(processes / 8), rate / 50),
                            latency: latency,
                        ),
                        Setting(
                            processes: processes,
                            requestsPerSecond: rate,
                            burst: rate,
                            latency: latency,
                            saysRetryAfter: true,
                        ),
                    ]
                }
            }
        }
        return settings
    }()

    private static func isTried(_ processes: Int, _ rate: Double, _ milliseconds: Int) -> Bool {
        #if DEBUG
            return rate == 20 && milliseconds == 20
        #else
            guard Double(64 * processes * 1000 / milliseconds) > rate * 1.2 else { return false }
            if ProcessInfo.processInfo.environment["SMSPIPE_FAIR_SHARE"] == "all" {
                return rate < 1000 || milliseconds != 20
            }
            return milliseconds == 50 && rate < 1000
        #endif
    }

    /// How long is counted: a process hears of the others by its own refusals only, and of those there are few.
    static func duration(_ setting: Setting) -> Duration {
        let rate = setting.requestsPerSecond
        let perProcess = rate / Double(setting.processes)
        return .seconds(60 + max(1200 / perProcess, min(600, 8000 / perProcess)))
    }

    @Test(arguments: settings)
    func `processes share a gateway that throttles, and use it up`(_ setting: Setting) {
        for seed in Seed.each(1) {
            var gateway = SharedGateway(setting, start: .seconds(30), measured: Self.duration(setting), seed: seed)
            let result = gateway.run()
            print(
                "SMSPIPE_SEED=\(seed) \(setting): used \(percent(result.utilisation))",
                "refused \(percent(result.refusedShare)) smallest share \(percent(result.smallestShare))",
                "idle wakes \(percent(result.idleWakes))",
            )
            #expect(result.utilisation >= 0.9, "SMSPIPE_SEED=\(seed)")
            #expect(result.refusedShare < 0.1, "SMSPIPE_SEED=\(seed)")
            #expect(result.smallestShare >= 0.5, "SMSPIPE_SEED=\(seed)")
        }
    }

    private func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10)%" }
}
