// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// What the connections of one simulator share: the rules behind a lock, and the clock.
final class SimulatorState: Sendable {
    struct Locked: Sendable {
        var rules: GatewayRules
        var generator: SeededGenerator
    }

    let account: SimulatedAccount
    let configuration: SimulatorConfiguration
    private let clock: @Sendable () -> WallTime
    private let locked: Mutex<Locked>

    init(
        configuration: SimulatorConfiguration,
        account: SimulatedAccount,
        seed: UInt64,
        clock: @escaping @Sendable () -> WallTime,
    ) {
        self.account = account
        self.configuration = configuration
        self.clock = clock
        var configuration = configuration
        configuration.seed = seed
        let rules = GatewayRules(configuration: configuration, account: account)
        locked = Mutex(Locked(rules: rules, generator: SeededGenerator(seed: seed &+ 1)))
    }

    /// What time it is.
    var now: WallTime { clock() }

    /// Answers a request to the API.
    ///
    /// Reading and verifying it needs no lock.
    func answer(_ request: SimulatedRequest) -> SimulatedAnswer {
        let call = ReceivedCall(request, account: account)
        let now = now
        return locked.withLock { $0.rules.answer(call, at: now, using: &$0.generator) }
    }

    /// Looks at the rules, or changes them.
    func withRules<Result: Sendable>(_ body: (inout GatewayRules) -> Result) -> Result {
        locked.withLock { body(&$0.rules) }
    }
}

extension WallTime {
    /// The system's time.
    package static var system: WallTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
