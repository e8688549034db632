// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// One connection of a client: gathers requests, has them answered one after the other, and writes the answers.
///
/// Answers are written as bytes, past any HTTP encoder, because a fault may cut them anywhere.
final class GatewayConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The largest body that is taken: a hundred messages of 500 characters, percent-encoded, fit in half of it.
    static let maximumBodyBytes = 1_024 * 1_024

    private let state: SimulatorState
    private let load: ServerLoad
    /// How long a connection may be without a whole request.
    private let idleTime: TimeAmount
    private var incoming: IncomingRequest?
    /// Whole requests that wait for their turn.
    private var waiting: [IncomingRequest] = []
    /// Whether a request is being answered.
    private var isAnswering = false
    private var isReadHeld = false
    private var isClosing = false
    private var lastActivity = NIODeadline.now()
    private var idleCheck: Scheduled<Void>?
    private var writer = AnswerWriter()

    init(_ state: SimulatorState, _ load: ServerLoad) {
        self.state = state
        self.load = load
        idleTime = TimeAmount(state.configuration.idleTime)
    }

    // MARK: Connection events

    func channelActive(context: ChannelHandlerContext) {
        scheduleIdleCheck(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        idleCheck?.cancel()
        waiting = []
        forgetIncoming()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): headArrived(head, context)
        case .body(let bytes): bodyArrived(bytes, context)
        case .end: requestEnded(context)
        }
    }

    func read(context: ChannelHandlerContext) {
        // A client that sends on while its requests wait is not read from.
        if isAnswering || !context.channel.isWritable {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answerNext(context)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isClosing, error is HTTPParserError else {
            context.close(promise: nil)
            return
        }
        let isTooLarge = error as? HTTPParserError == .headerOverflow
        refuse(
            isTooLarge
                ? .gateway("RequestHeaderTooLarge", 431, "The head of the request is too large.")
                : .gateway("InvalidParameter.Format", 400, "This is no HTTP/1.1 request."),
            context,
        )
    }

    // MARK: Requests

    private func headArrived(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        lastActivity = .now()
        let request = IncomingRequest(head)
        guard request.declaredBodyBytes ?? 0 <= Self.maximumBodyBytes else { return refuseBody(context) }
        incoming = request
        if request.expectsContinue, waiting.isEmpty, !isAnswering {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
    }

    private func bodyArrived(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard let count = incoming?.request.body.count else { return }
        guard count + bytes.readableBytes <= Self.maximumBodyBytes else { return refuseBody(context) }
        guard load.holdBody(bytes.readableBytes) else {
            return refuse(.gateway("ServiceUnavailable", 503, "Too many bodies are arriving at once."), context)
        }
        incoming?.request.body.append(contentsOf: bytes.readableBytesView)
    }

    private func requestEnded(_ context: ChannelHandlerContext) {
        guard let request = forgetIncoming() else { return }
        lastActivity = .now()
        waiting.append(request)
        answerNext(context)
    }

    /// Takes away the request that was arriving, whole or not.
    @discardableResult
    private func forgetIncoming() -> IncomingRequest? {
        defer { incoming = nil }
        load.releaseBody(incoming?.request.body.count ?? 0)
        return incoming
    }

    private func refuseBody(_ context: ChannelHandlerContext) {
        refuse(
            .gateway("RequestEntityTooLarge", 413, "The body is larger than \(Self.maximumBodyBytes) bytes."),
            context,
        )
    }

    /// Refuses what cannot become a request, and closes the connection.
    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        forgetIncoming()
        let body = AnswerValue.members([("Code", .string(refusal.code)), ("Message", .string(refusal.message))])
        let answer = SimulatedAnswer(
            status: refusal.status,
            headers: [HeaderField("content-type", AnswerFormat.json.contentType)],
            body: body.encoded(as: .json, root: ""),
        )
        let bytes = writer.bytes(of: answer, at: state.now, keepsAlive: false, isHead: false, context.channel.allocator)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(bytes)).whenComplete { _ in channel.close(promise: nil) }
    }

    // MARK: Answers

    private func answerNext(_ context: ChannelHandlerContext) {
        while !isAnswering, !isClosing, !waiting.isEmpty, context.channel.isWritable {
            isAnswering = true
            let incoming = waiting.removeFirst()
            switch state.respond(to: incoming.request) {
            case .answer(let answer): deliver(answer, to: incoming, context)
            case .wait(let wait):
                poll(until: .now() + TimeAmount(wait.timeout), for: incoming, context) { [state] isOver in
                    state.answer(to: wait, isOver: isOver)
                }
            case .waitForQueue(let request):
                poll(until: .now() + TimeAmount(request.wait), for: incoming, context) { [state] isOver in
                    state.answer(to: request, isOver: isOver)
                }
            }
        }
        guard isReadHeld, !isAnswering, !isClosing, context.channel.isWritable else { return }
        isReadHeld = false
        context.read()
    }

    private func deliver(_ answer: SimulatedAnswer, to request: IncomingRequest, _ context: ChannelHandlerContext) {
        guard answer.delay > .zero else { return send(answer, to: request, context) }
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: TimeAmount(answer.delay)) {
            let (handler, context) = loopBound.value
            guard !handler.isClosing else { return }
            handler.send(answer, to: request, context)
            handler.answerNext(context)
        }
    }

    /// Looks again and again whether a wait is over; a look costs a lock and no more.
    private func poll(
        until deadline: NIODeadline,
        for request: IncomingRequest,
        _ context: ChannelHandlerContext,
        _ look: @escaping @Sendable (_ isOver: Bool) -> SimulatedAnswer?,
    ) {
        if let answer = look(deadline <= .now()) {
            send(answer, to: request, context)
            return
        }
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(10)) {
            let (handler, context) = loopBound.value
            guard !handler.isClosing else { return }
            handler.poll(until: deadline, for: request, context, look)
            handler.answerNext(context)
        }
    }

    private func send(_ answer: SimulatedAnswer, to request: IncomingRequest, _ context: ChannelHandlerContext) {
        switch answer.delivery {
        case .stalled: return
        case .dropped:
            isClosing = true
            context.close(promise: nil)
            return
        case .whole, .truncated: break
        }
        var bytes = writer.bytes(
            of: answer,
            at: state.now,
            keepsAlive: request.keepsAlive,
            isHead: request.request.method == "HEAD",
            context.channel.allocator,
        )
        let isCut = answer.delivery == .truncated
        if isCut { bytes.moveWriterIndex(to: bytes.writerIndex - (answer.body.count + 1) / 2) }
        isClosing = isCut || !request.keepsAlive
        isAnswering = false
        lastActivity = .now()
        let written = context.writeAndFlush(wrapOutboundOut(bytes))
        guard isClosing else { return }
        let channel = context.channel
        written.whenComplete { _ in channel.close(promise: nil) }
    }

    // MARK: Idle connections

    private func scheduleIdleCheck(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        idleCheck = context.eventLoop.scheduleTask(deadline: lastActivity + idleTime) {
            let (handler, context) = loopBound.value
            handler.checkIdle(context)
        }
    }

    private func checkIdle(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        if isAnswering {
            lastActivity = .now()
        } else if lastActivity + idleTime <= .now() {
            guard incoming == nil else {
                return refuse(.gateway("RequestTimeout", 408, "The request did not arrive whole in time."), context)
            }
            return context.close(promise: nil)
        }
        scheduleIdleCheck(context)
    }
}

/// A request that is arriving, and what its head says of the connection.
struct IncomingRequest: Sendable {
    var request: SimulatedRequest
    let keepsAlive: Bool
    let expectsContinue: Bool
    let declaredBodyBytes: Int?

    init(_ head: HTTPRequestHead) {
        request = SimulatedRequest(
            method: head.method.rawValue,
            target: Self.originForm(head.uri),
            headers: head.headers.map { HeaderField($0.name, $0.value) },
        )
        keepsAlive = head.isKeepAlive
        declaredBodyBytes = request.header("content-length").flatMap { Int($0) }
        expectsContinue = request.header("expect")?.lowercased() == "100-continue"
        if let count = declaredBodyBytes, count <= GatewayConnection.maximumBodyBytes {
            request.body.reserveCapacity(count)
        }
    }

    /// The path and query of a request target, also where it is a whole URL.
    ///
    /// Source: RFC 9112, 3.2.2.
    private static func originForm(_ uri: String) -> [UInt8] {
        guard uri.hasPrefix("http://") else { return Array(uri.utf8) }
        let path = uri.dropFirst(7).drop { $0 != "/" && $0 != "?" }
        return Array((path.hasPrefix("/") ? String(path) : "/" + path).utf8)
    }
}
