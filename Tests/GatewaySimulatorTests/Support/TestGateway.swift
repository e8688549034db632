// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import MessagePipe
import Synchronization

/// A gateway that a test body can talk to, whether it is the pure rules or a server behind a socket.
protocol TestGateway: Sendable {
    /// The value of the `Host` header that requests must sign.
    var host: String { get }

    /// Answers a request; `nil` if the connection was closed or nothing came in time.
    func answer(_ request: SimulatedRequest) async throws -> SimulatedAnswer?

    /// Lets time pass.
    func advance(by duration: Duration)
}

extension TestGateway {
    /// Makes a call and returns what came back.
    func answer(_ call: SignedCall) async throws -> SimulatedAnswer {
        guard let answer = try await answer(call.request(host: host)) else { throw NoAnswer() }
        return answer
    }

    /// Makes a call and returns the code that came back.
    func code(_ call: SignedCall) async throws -> String {
        try await answer(call).member("Code") ?? ""
    }
}

/// The connection was closed without an answer.
struct NoAnswer: Error {}

/// On what a test body runs.
enum GatewayKind: String, CaseIterable, Sendable {
    case rules
    case http
}

/// Runs a test body on one kind of gateway.
func withGateway(
    _ kind: GatewayKind,
    _ configuration: SimulatorConfiguration = TestAccount.configuration,
    _ body: (any TestGateway) async throws -> Void,
) async throws {
    switch kind {
    case .rules:
        try await body(RulesGateway(configuration))
    case .http:
        let clock = TestClock()
        let server = try SimulatorServer.start(configuration: configuration, clock: { clock.now })
        let gateway = HTTPGateway(server: server, clock: clock)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(gateway))
        } catch {
            result = .failure(error)
        }
        try server.shutdown()
        try result.get()
    }
}

/// A clock that stands still until a test moves it.
final class TestClock: Sendable {
    private let time = Mutex(TestAccount.now)

    var now: WallTime { time.withLock { $0 } }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0 + duration }
    }
}

/// The pure rules as a gateway.
final class RulesGateway: TestGateway {
    private struct State {
        var rules: GatewayRules
        var generator = SeededGenerator(seed: 7)
    }

    let host = "127.0.0.1"
    private let clock = TestClock()
    private let state: Mutex<State>

    init(_ configuration: SimulatorConfiguration) {
        let account = configuration.account ?? TestAccount.account
        state = Mutex(State(rules: GatewayRules(configuration: configuration, account: account)))
    }

    func answer(_ request: SimulatedRequest) async throws -> SimulatedAnswer? {
        let now = clock.now
        let answer = state.withLock { state in
            request.path.hasPrefix("/_sim/")
                ? state.rules.control(request, at: now) : state.rules.answer(request, at: now, using: &state.generator)
        }
        return answer.delivery == .dropped || answer.delivery == .stalled ? nil : answer
    }

    func advance(by duration: Duration) { clock.advance(by: duration) }
}

/// A server as a gateway.
struct HTTPGateway: TestGateway {
    let server: SimulatorServer
    let clock: TestClock

    var host: String { String(server.endpoint.dropFirst("http://".count)) }

    func answer(_ request: SimulatedRequest) async throws -> SimulatedAnswer? {
        let port = UInt16(server.endpoint.split(separator: ":").last ?? "") ?? 0
        return try SocketClient.answer(to: request, port: port)
    }

    func advance(by duration: Duration) { clock.advance(by: duration) }
}
