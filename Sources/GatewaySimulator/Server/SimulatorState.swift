// SPDX-License-Identifier: Apache-2.0

import Glibc
import MessagePipe
import Synchronization

/// What the connections of one simulator share: the rules behind a lock, and the clock.
final class SimulatorState: Sendable {
    struct Locked: Sendable {
        var rules: GatewayRules
        var generator: SeededGenerator
    }

    /// What a connection does with a request.
    enum Response: Sendable {
        case answer(SimulatedAnswer)
        /// Answers when so many messages were taken, or when the time is over.
        case wait(CountedWait)
        /// Answers when the queue has a message, or when the time is over.
        case waitForQueue(QueueRequest)
    }

    let account: SimulatedAccount
    let configuration: SimulatorConfiguration
    /// Whether only this machine can reach the server.
    private let isLoopback: Bool
    private let clock: @Sendable () -> WallTime
    private let locked: Mutex<Locked>

    init(
        configuration: SimulatorConfiguration,
        account: SimulatedAccount,
        seed: UInt64,
        isLoopback: Bool,
        clock: @escaping @Sendable () -> WallTime,
    ) {
        self.account = account
        self.configuration = configuration
        self.isLoopback = isLoopback
        self.clock = clock
        var configuration = configuration
        configuration.seed = seed
        let rules = GatewayRules(configuration: configuration, account: account)
        locked = Mutex(Locked(rules: rules, generator: SeededGenerator(seed: seed &+ 1)))
    }

    /// What time it is.
    var now: WallTime { clock() }

    /// Answers a request.
    ///
    /// Reading and verifying a call of the API needs no lock.
    func respond(to request: SimulatedRequest) -> Response {
        if request.path.hasPrefix("/_sim") { return respondToControl(request) }
        if request.path.hasPrefix("/queues/") {
            guard let queueRequest = QueueRequest(request) else {
                return .answer(.queueProblem(400, "InvalidArgument", "The request is malformed.", ""))
            }
            return .waitForQueue(queueRequest)
        }
        let call = ReceivedCall(request, account: account)
        let now = now
        return .answer(locked.withLock { $0.rules.answer(call, at: now, using: &$0.generator) })
    }

    private func respondToControl(_ request: SimulatedRequest) -> Response {
        if let refusal = ControlGuard.refusal(of: request, isLoopback: isLoopback) { return .answer(refusal) }
        if request.path == "/_sim/wait" {
            guard let wait = CountedWait(request) else {
                return .answer(.problem(400, "Give count=NUMBER, and timeout=DURATION such as 5s."))
            }
            return .wait(wait)
        }
        if let asset = InboxPage.answer(to: request) { return .answer(asset) }
        let now = now
        return .answer(withRules { $0.control(request, at: now) })
    }

    /// The answer to someone who waits for messages; `nil` if not all have come and there is time left.
    func answer(to wait: CountedWait, isOver: Bool) -> SimulatedAnswer? {
        let count = withRules { $0.takenMessageCount }
        guard count >= wait.count || isOver else { return nil }
        var answer = SimulatedAnswer.lines([.members([("Messages", .integer(count))])])
        if count < wait.count { answer.status = 408 }
        return answer
    }

    /// The answer of a queue; `nil` if it is empty and there is time left.
    func answer(to request: QueueRequest, isOver: Bool) -> SimulatedAnswer? {
        let now = now
        let answer = withRules { $0.answer(request, at: now) }
        guard case .receive = request.action, answer.text.contains("MessageNotExist"), !isOver else { return answer }
        return nil
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
