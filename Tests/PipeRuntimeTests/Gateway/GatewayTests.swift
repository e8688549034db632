// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import MessagePipe
import PipeRuntime
import Testing

/// What a request's one report says, whatever the gateway does with the connection.
@Suite(.timeLimit(.minutes(1)))
struct GatewayTests {
    private static let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"

    private let ids = TestGateway.requestIDs(3)

    // MARK: - Connections

    @Test func `begins few connections at a time, and more where nobody answers`() async throws {
        let peer = try Peer([])
        let gateway = try await TestGateway(port: peer.port)
        let ids = TestGateway.requestIDs(ConnectionAllowance.few)
        let isReady = try await gateway.with { gateway in
            for id in ids {
                guard gateway.isReady() else { return true }
                gateway.send(id, TestGateway.request(bodyBytes: 10))
            }
            return gateway.isReady()
        }
        #expect(!isReady)
        try await gateway.becomeReady()
        for id in ids { try await gateway.abandon(id) }
        #expect(try await gateway.end() == ids.count)
    }

    @Test func `takes a request for a connection that is idle`() async throws {
        let peer = try Peer { connection in
            connection.readRequest()
            connection.write(Self.answer)
            _ = connection.readToEnd()
        }
        let gateway = try await TestGateway(port: peer.port)
        #expect(try await gateway.exchange(ids[0]).status == 200)
        #expect(try await gateway.with { $0.isReady() })
        #expect(try await gateway.end() == 0)
    }

    // MARK: - Answers

    @Test func `sends the next request over the same connection`() async throws {
        let peer = try Peer { connection in
            for _ in 0..<2 {
                connection.readRequest()
                connection.write(Self.answer)
            }
        }
        let gateway = try await TestGateway(port: peer.port)
        #expect(try await gateway.exchange(ids[0]).status == 200)
        #expect(try await gateway.exchange(ids[1]).status == 200)
        #expect(peer.connectionCount == 1)
        #expect(try await gateway.end() == 0)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.0 200 OK\r\n\r\n{}",
        answer + answer,
        answer + "HTTP/1.1 4",
    ])
    func `makes a new connection where the old one is not to be used again`(_ text: String) async throws {
        let script = { @Sendable (connection: PeerConnection) in
            connection.readRequest()
            connection.write(text)
        }
        let peer = try Peer([script, script])
        let gateway = try await TestGateway(port: peer.port)
        let first = try await gateway.exchange(ids[0])
        #expect(first.status == 200)
        #expect(first.body == "{}")
        try await gateway.becomeIdle()
        #expect(try await gateway.exchange(ids[1]).status == 200)
        #expect(peer.connectionCount == 2)
        #expect(try await gateway.end() == 0)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n" + answer,
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + answer,
        "HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 60_000) + "\r\ncontent-length: 2\r\n\r\n{}",
    ])
    func `reads every form of an answer`(_ text: String) async throws {
        let peer = try Peer { connection in
            connection.readRequest()
            connection.write(text)
            _ = connection.readToEnd()
        }
        let gateway = try await TestGateway(port: peer.port)
        let report = try await gateway.exchange(ids[0])
        #expect(report.status == 200)
        #expect(report.body == "{}")
        #expect(try await gateway.end() == 0)
    }

    @Test func `takes an answer that comes before the request is whole, and lets nothing more out`() async throws {
        let (rest, continuation) = AsyncStream.makeStream(of: Int.self)
        let peer = try Peer(receiveBuffer: 4096) { connection in
            connection.read(1000)
            connection.write("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
            continuation.yield(connection.readToEnd())
        }
        let gateway = try await TestGateway(port: peer.port)
        let report = try await gateway.exchange(ids[0], bodyBytes: TestGateway.hugeBody)
        #expect(report.status == 413)
        #expect(report.isRequestWhole == false)
        for await count in rest {
            #expect(count < TestGateway.hugeBody - 1000)
            break
        }
        #expect(try await gateway.end() == 0)
    }

    // MARK: - No answer

    @Test func `a request that may not leave when its connection is there leaves that to another`() async throws {
        let peer = try Peer { connection in
            connection.readRequest()
            connection.write(Self.answer)
        }
        let late = ids[0]
        let gateway = try await TestGateway(
            GatewayEndpoint(isEncrypted: false, host: "127.0.0.1", port: peer.port),
            leaves: { $0 != late },
        )
        let report = try await gateway.exchange(late)
        #expect(report.notSent == .noConnection("it was made too late"))
        #expect(try await gateway.exchange(ids[1]).status == 200)
        #expect(try await gateway.end() == 0)
    }

    @Test func `knows that nothing was sent when nobody listens`() async throws {
        try await Peer.withClosedPort { port in
            let gateway = try await TestGateway(port: port)
            let report = try await gateway.exchange(ids[0])
            #expect(report.notSent == .noConnection("Connection refused"))
            #expect(try await gateway.end() == 0)
        }
    }

    @Test func `knows that nothing was sent when no socket can be made`() async {
        await #expect(processExitsWith: .success) {
            let gateway = try await TestGateway(port: 1)
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
            let report = try await gateway.exchange(TestGateway.requestIDs(1)[0])
            guard report.notSent == .noConnection("Too many open files") else { fatalError("\(report as Any)") }
        }
    }

    @Test func `knows that nothing was sent when the name cannot be resolved`() async throws {
        let gateway = try await TestGateway(GatewayEndpoint(isEncrypted: false, host: "a..b", port: 80))
        let report = try await gateway.exchange(ids[0])
        #expect(report.notSent == .noConnection("its name cannot be resolved"))
        #expect(try await gateway.end() == 0)
    }

    @Test(arguments: [0, 1000, 1 << 20])
    func `knows that a request did not leave whole when the connection breaks before`(_ read: Int) async throws {
        let peer = try Peer(receiveBuffer: 4096) { connection in
            connection.read(read)
            connection.reset()
        }
        let gateway = try await TestGateway(port: peer.port)
        let report = try await gateway.exchange(ids[0], bodyBytes: TestGateway.hugeBody)
        // Reset at once, it may not even have been a connection.
        #expect(read == 0 ? report.notSent != nil : report.notSent == .brokenWhileSending)
        #expect(try await gateway.end() == 0)
    }

    @Test(
        arguments: zip(
            [
                "", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense", "nonsense\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 5 << 20),
                "HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 200_000) + "\r\n\r\n",
            ],
            [
                Doubt.connectionLost, .connectionLost, .unreadable(status: 200), .unreadable(status: 200),
                .unreadable(status: 200), .unreadable(status: nil), .unreadable(status: 200), .unreadable(status: nil),
            ],
        )
    )
    func `does not know what became of a request without a whole answer`(_ text: String, _ doubt: Doubt) async throws {
        let peer = try Peer { connection in
            connection.readRequest()
            connection.write(text)
        }
        let gateway = try await TestGateway(port: peer.port)
        #expect(try await gateway.exchange(ids[0]).unknown == doubt)
        #expect(try await gateway.end() == 0)
    }

    @Test func `does not use an idle connection that the gateway has closed`() async throws {
        let script = { @Sendable (connection: PeerConnection) in
            connection.readRequest()
            connection.write(Self.answer)
        }
        let peer = try Peer([script, script])
        let gateway = try await TestGateway(port: peer.port)
        #expect(try await gateway.exchange(ids[0]).status == 200)
        try await gateway.becomeIdle()
        #expect(try await gateway.exchange(ids[1]).status == 200)
        #expect(try await gateway.end() == 0)
    }

    // MARK: - Giving up

    @Test func `knows that nothing was sent when it is given up before there is a connection`() async throws {
        let (arrivals, continuation) = AsyncStream.makeStream(of: Void.self)
        // It never answers the first words of TLS.
        let peer = try Peer { connection in
            connection.read(1)
            continuation.yield()
            _ = connection.readToEnd()
        }
        let gateway = try await TestGateway(GatewayEndpoint(isEncrypted: true, host: "127.0.0.1", port: peer.port))
        try await gateway.send(ids[0])
        for await _ in arrivals { break }
        try await gateway.abandon(ids[0])
        #expect(try await gateway.report().notSent == .noConnection("it took too long"))
        #expect(try await gateway.end() == 0)
    }

    @Test func `lets nothing more out of a request that is given up while it leaves`() async throws {
        let (counts, continuation) = AsyncStream.makeStream(of: Int.self)
        let isReported = DispatchSemaphore(value: 0)
        let peer = try Peer(receiveBuffer: 4096) { connection in
            continuation.yield(connection.read(1000).count)
            isReported.wait()
            continuation.yield(connection.readToEnd())
        }
        let gateway = try await TestGateway(port: peer.port)
        try await gateway.send(ids[0], bodyBytes: TestGateway.hugeBody)
        var all = counts.makeAsyncIterator()
        #expect(await all.next() == 1000)
        try await gateway.abandon(ids[0])
        #expect(try await gateway.report().notSent == .brokenWhileSending)
        isReported.signal()
        #expect(try await gateway.end() == 0)
        #expect(try #require(await all.next()) < TestGateway.hugeBody - 1000)
    }

    @Test func `does not know what became of a request that is given up while its answer is awaited`() async throws {
        let (arrivals, continuation) = AsyncStream.makeStream(of: Void.self)
        let peer = try Peer { connection in
            connection.readRequest()
            continuation.yield()
            _ = connection.readToEnd()
        }
        let gateway = try await TestGateway(port: peer.port)
        try await gateway.send(ids[0])
        for await _ in arrivals { break }
        try await gateway.abandon(ids[0])
        #expect(try await gateway.report().unknown == .timeout)
        // Given up twice, it is still reported once.
        try await gateway.abandon(ids[0])
        #expect(try await gateway.end() == 0)
    }
}

extension GatewayReport? {
    /// The status of an answer.
    var status: Int? {
        if case .answered(let answer) = self { answer.status } else { nil }
    }

    /// The body of an answer.
    var body: String? {
        if case .answered(let answer) = self { String(decoding: answer.body, as: UTF8.self) } else { nil }
    }

    /// Whether an answer came to a whole request.
    var isRequestWhole: Bool? {
        if case .answered(let answer) = self { answer.isRequestWhole } else { nil }
    }

    /// Why the request did not leave.
    var notSent: NotSentReason? {
        if case .notSent(let reason) = self { reason } else { nil }
    }

    /// Why nobody knows what became of the request.
    var unknown: Doubt? {
        if case .unknown(let doubt) = self { doubt } else { nil }
    }
}
