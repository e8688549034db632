// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

/// How far the design carries: machines that share the service's quota, from near and from far.
///
/// Prints the table of `Design.md`; it takes a minute, so only with `SMSPIPE_SCALE=1`:
///
///     SMSPIPE_SCALE=1 swift test -c release --disable-testable-imports --disable-xctest --scratch-path .build-tests \
///         --filter ScaleTests
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SMSPIPE_SCALE"] != nil))
struct ScaleTests {
    typealias Setting = SharedGateway.Setting

    /// The requests a second that the service takes from an account.
    ///
    /// Source: SendBatchSms reference, QPS limit.
    private static let quota = 5000.0

    static let settings: [Setting] = {
        let machines = [
            (1, 50, 64), (1, 50, 512), (1, 500, 64), (1, 500, 512), (1, 500, 2500),
            (10, 50, 64), (10, 500, 64), (10, 500, 512), (100, 50, 64), (100, 500, 64),
        ]
        return machines.map { processes, milliseconds, concurrency in
            Setting(
                processes: processes,
                requestsPerSecond: quota,
                burst: quota / 50,
                latency: .milliseconds(milliseconds),
                concurrency: concurrency,
            )
        }
    }()

    @Test(arguments: settings)
    func `machines reach what latency and quota allow`(_ setting: Setting) {
        for seed in Seed.each(1) {
            var gateway = SharedGateway(setting, start: .seconds(60), measured: .seconds(120), seed: seed)
            let result = gateway.run()
            let inFlight = Double(setting.processes * setting.concurrency)
            let possible = min(Self.quota, inFlight / (setting.latency / .seconds(1)))
            let rate = result.utilisation * Self.quota
            print(
                "| \(setting.processes) | \(Int(setting.latency / .milliseconds(1))) ms | \(setting.concurrency)",
                "| \(Int(possible)) | \(Int(rate)) | \(percent(result.refusedShare)) | \(percent(result.smallestShare))",
                "| \((rate * 100 * 86_400 / 1e8).rounded() / 10)e9 |",
            )
            #expect(rate >= 0.85 * possible, "SMSPIPE_SEED=\(seed)")
            #expect(result.refusedShare < 0.1, "SMSPIPE_SEED=\(seed)")
            #expect(result.smallestShare >= 0.5, "SMSPIPE_SEED=\(seed)")
        }
    }

    private func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10)%" }
}
