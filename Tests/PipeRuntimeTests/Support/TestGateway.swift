// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import NIOCore
import NIOPosix
import PipeRuntime

/// The gateway's connections on an event loop of their own, and what they report.
final class TestGateway: Sendable {
    struct Report: Sendable {
        let id: RequestID
        let what: GatewayReport
    }

    /// More bytes than the kernel's buffers on both sides hold.
    static let hugeBody = 12 << 20
    /// Made once: that takes long.
    private static let hugeRequest = request(bodyBytes: hugeBody)

    let reports: AsyncStream<Report>
    private let reported: AsyncStream<Report>.Continuation
    private let readiness: AsyncStream<Void>
    private let group: MultiThreadedEventLoopGroup
    private let gateway: NIOLoopBound<Gateway>

    init(
        _ endpoint: GatewayEndpoint,
        proxy: Proxy? = nil,
        caFile: String? = nil,
        leaves: @escaping @Sendable (RequestID) -> Bool = { _ in true },
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let (reports, continuation) = AsyncStream.makeStream(of: Report.self)
        let (readiness, ready) = AsyncStream.makeStream(of: Void.self)
        self.group = group
        self.reports = reports
        reported = continuation
        self.readiness = readiness
        gateway = try await loop.submit {
            let connector = Connector(endpoint: endpoint, proxy: proxy, caFile: caFile, door: LoopDoor(loop))
            let gateway = Gateway(
                connector,
                connected: {},
                leaves: leaves,
                ready: { ready.yield() },
                report: { id, _, what in continuation.yield(Report(id: id, what: what)) },
            )
            return NIOLoopBound(gateway, eventLoop: loop)
        }.get()
    }

    convenience init(port: Int) async throws {
        try await self.init(GatewayEndpoint(isEncrypted: false, host: "127.0.0.1", port: port))
    }

    /// Runs something on the gateway's loop.
    func with<Result: Sendable>(_ body: @escaping @Sendable (Gateway) -> Result) async throws -> Result {
        try await group.next().submit { [gateway] in body(gateway.value) }.get()
    }

    func send(_ id: RequestID, bodyBytes: Int = 10) async throws {
        let request = bodyBytes == Self.hugeBody ? Self.hugeRequest : Self.request(bodyBytes: bodyBytes)
        try await with { $0.send(id, request) }
    }

    func abandon(_ id: RequestID) async throws {
        try await with { $0.abandon(id) }
    }

    /// The next report.
    func report() async throws -> GatewayReport? {
        for await report in reports { return report.what }
        return nil
    }

    /// Sends a request, and returns its report.
    func exchange(_ id: RequestID, bodyBytes: Int = 10) async throws -> GatewayReport? {
        try await send(id, bodyBytes: bodyBytes)
        return try await report()
    }

    /// Waits until another request should be sent, as the gateway tells.
    func becomeReady() async throws {
        var events = readiness.makeAsyncIterator()
        while try await !with({ $0.isReady() }) { await events.next() }
    }

    /// Waits until no connection can be used again: the peer has closed what there was.
    func becomeIdle() async throws {
        while try await with({ $0.idleCount }) > 0 { await Task.yield() }
    }

    /// Ends everything; tells how many reports came that nobody asked for.
    func end() async throws -> Int {
        try await with { $0.close() }
        try await group.shutdownGracefully()
        reported.finish()
        var count = 0
        for await _ in reports { count += 1 }
        return count
    }

    static func request(bodyBytes: Int) -> SignedRequest {
        var signer = RequestSigner(
            scheme: .v3,
            credentials: Credentials(accessKeyID: "testid", accessKeySecret: Secret("testsecret")),
        )
        var form = EncodedParameters()
        form.append("a", String(repeating: "b", count: bodyBytes))
        return signer.sign(
            Call(Action("SendBatchSms"), form: form),
            host: "127.0.0.1",
            at: 0,
            nonce: Nonce(high: 1, low: 2),
        )
    }

    /// Identities of requests, which only an engine gives out.
    static func requestIDs(_ count: Int) -> [RequestID] {
        var configuration = Engine.Configuration(runID: "run")
        configuration.batchSize = 1
        var engine = Engine(configuration, seed: 1)
        var splitter = LineSplitter(maximumLineBytes: 1 << 10)
        var parser = MessageParser(
            defaults: MessageParser.Defaults(signName: "甲", templateCode: "T"),
            maximumLineBytes: 1 << 10,
        )
        let lines = (0..<count).map { "{\"PhoneNumber\":\"\(13_900_000_000 + $0)\"}\n" }.joined()
        let block = splitter.append(Array(lines.utf8).span)
        let now = Instant(nanoseconds: 0)
        engine.chunkArrived(parser.parse(block, lines: block.lines.indices), at: now)
        return (0..<count).compactMap { _ in engine.nextRequest(at: now, sendDate: 20_260_101)?.id }
    }
}
