// SPDX-License-Identifier: Apache-2.0

import Dispatch
import NIOCore
import NIOPosix
import PipeRuntime
import Synchronization
import Testing

/// Many connections, few look-ups.
struct SharedResolverTests {
    /// A name server whose answers are held back until they are let go, and which counts what it was asked.
    private final class NameServer: Sendable {
        private let asked = Mutex<[String]>([])
        private let gate = DispatchSemaphore(value: 0)
        private let failures: Int

        init(failures: Int = 0) {
            self.failures = failures
        }

        var questions: [String] { asked.withLock { $0 } }

        func answer() { gate.signal() }

        func lookUp(_ host: String, _ port: Int) throws -> [SocketAddress] {
            let count = asked.withLock { asked in
                asked.append("\(host):\(port)")
                return asked.count
            }
            gate.wait()
            guard count > failures else { throw SharedResolver.UnknownHost() }
            // These need no name server.
            return try ["192.0.2.1", "2001:db8::1", "192.0.2.2"].flatMap {
                try SharedResolver.systemAddresses(of: $0, port: port)
            }
        }
    }

    /// How many addresses of each kind were found.
    private struct Found: Equatable {
        var v4: Int
        var v6: Int
    }

    /// Runs a test on an event loop of its own.
    private func withResolver(
        of server: NameServer,
        maximumAge: TimeAmount = .hours(1),
        _ body: (SharedResolver, any EventLoop) async throws -> Void,
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let resolver = SharedResolver(on: LoopDoor(group.next()), maximumAge: maximumAge) { try server.lookUp($0, $1) }
        let result: Result<Void, any Error>
        do { result = .success(try await body(resolver, group.next())) } catch { result = .failure(error) }
        try await group.shutdownGracefully()
        try result.get()
    }

    /// Asks for both kinds of addresses, as a connection that is made does.
    private func ask(
        _ resolver: SharedResolver,
        on loop: any EventLoop,
        _ host: String = "gateway.test",
    ) -> EventLoopFuture<Found> {
        loop.flatSubmit {
            let v6 = resolver.initiateAAAAQuery(host: host, port: 443)
            let v4 = resolver.initiateAQuery(host: host, port: 443)
            return v6.and(v4).map { Found(v4: $0.1.count, v6: $0.0.count) }
        }
    }

    @Test func `connections that are made together share a look-up, and later ones its answer`() async throws {
        let server = NameServer()
        try await withResolver(of: server) { resolver, loop in
            let queries = (0..<50).map { _ in ask(resolver, on: loop) }
            server.answer()
            for query in queries {
                let found = try await query.get()
                #expect(found == Found(v4: 2, v6: 1))
            }
            _ = try await ask(resolver, on: loop).get()
            #expect(server.questions == ["gateway.test:443"])
        }
    }

    @Test func `an answer that is too old is not shared`() async throws {
        let server = NameServer()
        try await withResolver(of: server, maximumAge: .zero) { resolver, loop in
            for count in 1...3 {
                server.answer()
                _ = try await ask(resolver, on: loop).get()
                #expect(server.questions.count == count)
            }
        }
    }

    @Test func `a look-up that fails fails all who wait for it, and the next one asks again`() async throws {
        let server = NameServer(failures: 1)
        try await withResolver(of: server) { resolver, loop in
            let queries = (0..<3).map { _ in ask(resolver, on: loop) }
            server.answer()
            for query in queries {
                await #expect(throws: SharedResolver.UnknownHost.self) { try await query.get() }
            }
            server.answer()
            let found = try await ask(resolver, on: loop).get()
            #expect(found == Found(v4: 2, v6: 1))
            #expect(server.questions.count == 2)
        }
    }

    @Test func `what led nowhere is forgotten, but not what is awaited`() async throws {
        let server = NameServer()
        try await withResolver(of: server) { resolver, loop in
            let first = ask(resolver, on: loop)
            try await loop.submit { resolver.forget() }.get()
            let second = ask(resolver, on: loop)
            server.answer()
            _ = try await first.get()
            _ = try await second.get()
            #expect(server.questions.count == 1)
            try await loop.submit { resolver.forget() }.get()
            server.answer()
            _ = try await ask(resolver, on: loop).get()
            #expect(server.questions.count == 2)
        }
    }

    @Test func `another host is looked up by itself`() async throws {
        let server = NameServer()
        try await withResolver(of: server) { resolver, loop in
            let queries = ["a.test", "b.test"].map { ask(resolver, on: loop, $0) }
            server.answer()
            server.answer()
            for query in queries { _ = try await query.get() }
            #expect(server.questions == ["a.test:443", "b.test:443"])
        }
    }

    @Test func `the system's resolver knows this machine, and no host of a domain that cannot be`() throws {
        let addresses = try SharedResolver.systemAddresses(of: "localhost", port: 80)
        #expect(!addresses.isEmpty)
        #expect(throws: SharedResolver.UnknownHost.self) {
            try SharedResolver.systemAddresses(of: "nowhere.invalid", port: 80)
        }
    }
}
