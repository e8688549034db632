// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix

/// Pushes receipts to a consumer as they become due.
struct ReceiptPusher: Sendable {
    /// How often it is looked whether something is due.
    private static let interval = TimeAmount.milliseconds(50)
    /// How long an acknowledgement may take.
    private static let timeout = TimeAmount.seconds(5)

    private let state: SimulatorState
    private let address: ReceiptAddress

    init(_ state: SimulatorState, address: ReceiptAddress) {
        self.state = state
        self.address = address
    }

    /// Pushes until the event loop ends.
    func start(on eventLoop: any EventLoop) {
        eventLoop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { [self] _ in
            let now = state.now
            for push in state.withRules({ $0.takePushes(at: now) }) { send(push, on: eventLoop) }
        }
    }

    private func send(_ push: ReceiptPushes.Push, on eventLoop: any EventLoop) {
        let answer = eventLoop.makePromise(of: Bool.self)
        let (address, body) = (address, push.body)
        let connection = ClientBootstrap(group: eventLoop).connectTimeout(Self.timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(PushConnection(address, body: body, answer: answer))
                }
            }
            .connect(host: address.host, port: address.port)
        connection.whenFailure { answer.fail($0) }
        let timeout = eventLoop.scheduleTask(in: Self.timeout) { answer.succeed(false) }
        answer.futureResult.whenComplete { [state] result in
            timeout.cancel()
            connection.whenSuccess { $0.close(promise: nil) }
            let isAcknowledged = (try? result.get()) ?? false
            let now = state.now
            state.withRules { $0.receipts.pushes.answered(push.id, isAcknowledged: isAcknowledged, at: now) }
        }
    }
}

/// One push: writes the request and judges the answer.
private final class PushConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private static let maximumAnswerBytes = 65_536

    private let address: ReceiptAddress
    private let body: [UInt8]
    private let answer: EventLoopPromise<Bool>
    private var status = 0
    private var received: [UInt8] = []

    init(_ address: ReceiptAddress, body: [UInt8], answer: EventLoopPromise<Bool>) {
        self.address = address
        self.body = body
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: address.target)
        head.headers.add(name: "host", value: "\(address.host):\(address.port)")
        head.headers.add(name: "content-type", value: "application/json; charset=utf-8")
        head.headers.add(name: "content-length", value: String(body.count))
        head.headers.add(name: "connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let bytes):
            guard received.count + bytes.readableBytes <= Self.maximumAnswerBytes else { return answer.succeed(false) }
            received.append(contentsOf: bytes.readableBytesView)
        case .end: answer.succeed(ReceiptPushes.isAcknowledgement(status: status, body: received))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.succeed(false)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}
