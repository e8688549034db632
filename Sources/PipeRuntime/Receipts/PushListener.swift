// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import NIOCore
import NIOHTTP1
import NIOPosix

/// What a push is answered.
enum PushAnswer {
    /// Its lines are written.
    case taken
    case refused(ReceiptsEngine.PushRefusal)
    /// Its lines cannot be written: it is to come again.
    case lost
}

/// Takes pushes over HTTP; belongs to its event loop.
final class PushListener {
    /// The largest body that is taken.
    static let maximumBodyBytes = 8 << 20
    /// How many bytes of bodies may be arriving at once.
    private static let maximumArrivingBytes = 64 << 20
    private static let maximumConnections = 512
    /// How many files the run needs for itself, or for its queues.
    private static let reservedDescriptors = 24

    private let push: (_ body: [UInt8], _ answer: @escaping (PushAnswer) -> Void) -> Void
    private var channel: (any Channel)?
    private var connections: [ObjectIdentifier: any Channel] = [:]
    private var arrivingBytes = 0
    /// Fewer where the process may have few files open.
    private let maximumConnections = max(1, min(maximumConnections, DescriptorLimit.raise() - reservedDescriptors))

    /// - Parameter push: Takes a push, and answers it in time.
    init(_ push: @escaping (_ body: [UInt8], _ answer: @escaping (PushAnswer) -> Void) -> Void) {
        self.push = push
    }

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - listening: Where.
    ///   - eventLoop: The run's.
    ///   - began: Gets the port, or why there is none.
    func start(
        _ listening: ReceiptsConfiguration.Listening,
        on eventLoop: any EventLoop,
        began: @escaping (Result<Int, any Error>) -> Void,
    ) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Without it a process that has no descriptors left would try again at once, for ever.
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            // Whoever has said all may still listen.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel) }
            }
            .bind(host: listening.host, port: listening.port)
            .assumeIsolated().whenComplete { [self] result in
                channel = try? result.get()
                began(result.map { $0.localAddress?.port ?? listening.port })
            }
    }

    private func accept(_ channel: any Channel) throws {
        guard connections.count < maximumConnections else { return channel.close(promise: nil) }
        let id = ObjectIdentifier(channel)
        connections[id] = channel
        channel.closeFuture.assumeIsolated().whenComplete { [self] _ in connections[id] = nil }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
        try pipeline.addHandler(PushConnection(self))
    }

    /// Takes no further connections.
    func stopAccepting() {
        channel?.close(promise: nil)
        channel = nil
    }

    /// Ends all connections.
    func close() {
        stopAccepting()
        for connection in connections.values { connection.close(promise: nil) }
    }

    fileprivate func take(_ body: [UInt8], _ answer: @escaping (PushAnswer) -> Void) { push(body, answer) }

    /// Whether there is room for more of a body that is arriving.
    fileprivate func hold(_ count: Int) -> Bool {
        guard arrivingBytes + count <= Self.maximumArrivingBytes else { return false }
        arrivingBytes += count
        return true
    }

    fileprivate func letGo(_ count: Int) { arrivingBytes -= count }
}

/// One connection of whoever pushes: one request after the other.
private final class PushConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a connection may be without a whole request.
    private static let idleTime = TimeAmount.seconds(60)

    private let listener: PushListener
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    /// What the request is answered before it is whole.
    private var earlyStatus: HTTPResponseStatus?
    private var isAnswering = false
    /// Whether a request is being delivered now.
    private var isDelivering = false
    private var isInputClosed = false
    private var idleCheck: Scheduled<Void>?

    init(_ listener: PushListener) {
        self.listener = listener
    }

    func channelActive(context: ChannelHandlerContext) {
        expectRequest(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        idleCheck?.cancel()
        dropBody()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            isInputClosed = true
            if !isAnswering { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func expectRequest(_ context: ChannelHandlerContext) {
        idleCheck?.cancel()
        idleCheck = context.eventLoop.assumeIsolated().scheduleTask(in: Self.idleTime) { context.close(promise: nil) }
    }

    private func dropBody() {
        listener.letGo(body.count)
        body = []
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            earlyStatus = nil
            switch head.method {
            case .POST: break
            // Whoever watches over the machine may ask whether somebody is there.
            case .GET, .HEAD: earlyStatus = .ok
            default: earlyStatus = .methodNotAllowed
            }
            if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }), earlyStatus == nil {
                context.writeAndFlush(wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
            }
        case .body(let bytes):
            guard earlyStatus == nil else { return }
            let count = bytes.readableBytes
            if body.count + count > PushListener.maximumBodyBytes {
                earlyStatus = .payloadTooLarge
            } else if !listener.hold(count) {
                earlyStatus = .serviceUnavailable
            } else {
                body.append(contentsOf: bytes.readableBytesView)
                return
            }
            dropBody()
        case .end: requestEnded(context)
        }
    }

    private func requestEnded(_ context: ChannelHandlerContext) {
        idleCheck?.cancel()
        isAnswering = true
        if let earlyStatus { return answerLater(earlyStatus, context) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let whole = body
        dropBody()
        isDelivering = true
        listener.take(whole) { answer in
            let (connection, context) = bound.value
            let tell = connection.isDelivering ? connection.answerLater : connection.answer
            tell(Self.status(of: answer), context)
        }
        isDelivering = false
    }

    /// Answers a request that is being delivered in another turn of the event loop: the pipeline delivers the next one while the
    /// end of an answer is written, so that many requests sent at once would be answered one inside the other.
    private func answerLater(_ status: HTTPResponseStatus, _ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().execute { [self] in answer(status, context) }
    }

    private static func status(of answer: PushAnswer) -> HTTPResponseStatus {
        switch answer {
        case .taken: .ok
        case .refused(.unreadable): .badRequest
        case .refused(.isFull), .refused(.isEnding), .lost: .serviceUnavailable
        }
    }

    /// Source: api 5.1: the platform wants a number as `code`, and asks again after any status but 200.
    private func answer(_ status: HTTPResponseStatus, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        isAnswering = false
        let isKept = head?.isKeepAlive ?? false && status != .payloadTooLarge && !isInputClosed
        let (code, words) = status == .ok ? (0, "接收成功") : (status.code, status.reasonPhrase)
        let text = "{\"code\":\(code),\"msg\":\"\(words)\"}"
        var answer = HTTPResponseHead(version: .http1_1, status: status)
        answer.headers.add(name: "content-type", value: "application/json;charset=utf-8")
        answer.headers.add(name: "content-length", value: String(text.utf8.count))
        if status == .methodNotAllowed { answer.headers.add(name: "allow", value: "POST") }
        answer.headers.add(name: "connection", value: isKept ? "keep-alive" : "close")
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        if head?.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        }
        head = nil
        // Before the end is written: the next request may come, and end the wait for it, while it is.
        if isKept { expectRequest(context) }
        let isWritten = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: isWritten)
        if !isKept {
            isWritten.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
    }
}
