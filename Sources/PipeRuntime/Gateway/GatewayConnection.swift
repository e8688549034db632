// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import NIOCore
import NIOHTTP1

/// One connection to the gateway, carrying one request at a time.
///
/// Tells exactly once of each request what became of it. A request counts as sent once its last byte has been handed to the
/// kernel: NIO fulfils the promise of the last part then, and fails it if the connection breaks before.
final class GatewayConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// The longest answer that is read, in bytes; a real one has a few hundred.
    private static let maximumAnswerBytes = 4 << 20

    private struct Exchange {
        let id: RequestID
        let request: SignedRequest
        var isSentWhole = false
        var isAbandoned = false
        var head: HTTPResponseHead?
        var body: [UInt8] = []
    }

    private let channel: any Channel
    private var exchange: Exchange?
    private let ended: (GatewayConnection, RequestID, SignedRequest, GatewayReport) -> Void
    /// Whether another request may be sent.
    private(set) var isReusable = true

    /// - Parameters:
    ///   - channel: The connection, made and checked.
    ///   - ended: Called once for each request.
    init(
        channel: any Channel,
        ended: @escaping (GatewayConnection, RequestID, SignedRequest, GatewayReport) -> Void,
    ) {
        self.channel = channel
        self.ended = ended
    }

    /// Sends a request; the one before must have ended.
    func send(_ id: RequestID, _ request: SignedRequest) {
        precondition(exchange == nil, "a connection carries one request at a time")
        exchange = Exchange(id: id, request: request)
        var headers = HTTPHeaders()
        headers.reserveCapacity(request.headers.count + 1)
        for field in request.headers { headers.add(name: field.name, value: field.value) }
        headers.add(name: "content-length", value: String(request.body.count))
        let head = HTTPRequestHead(
            version: .http1_1,
            method: request.method == .post ? .POST : .GET,
            uri: request.target,
            headers: headers,
        )
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if !request.body.isEmpty {
            let body = channel.allocator.buffer(bytes: request.body)
            channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
        }
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            guard exchange?.id == id else { return }
            switch result {
            case .success: exchange?.isSentWhole = true
            case .failure: fail()
            }
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: written)
    }

    /// Gives the request up and closes the connection.
    func abandon() {
        exchange?.isAbandoned = true
        fail()
    }

    /// Closes the connection; nothing that is still to be written leaves.
    func close() {
        isReusable = false
        channel.cut()
    }

    // MARK: - What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            exchange?.head = head
        case .body(let buffer):
            exchange?.body.append(contentsOf: buffer.readableBytesView)
            if let exchange, exchange.body.count > Self.maximumAnswerBytes { fail() }
        case .end:
            answered()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail()
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail()
        context.fireChannelInactive()
    }

    private func answered() {
        guard let exchange, let head = exchange.head else {
            // An answer that nobody asked for: the connection is not to be trusted.
            fail()
            return
        }
        self.exchange = nil
        // An answer before the request was whole leaves the rest of it on the connection.
        if !head.isKeepAlive || !exchange.isSentWhole { close() }
        let answer = HTTPAnswer(
            status: Int(head.status.code),
            headers: head.headers,
            body: exchange.body,
            isRequestWhole: exchange.isSentWhole,
        )
        ended(self, exchange.id, exchange.request, .answered(answer))
    }

    /// Ends the connection, and the request that is on it without an answer.
    private func fail() {
        // Closing comes back here with what it broke off.
        let ended = exchange
        exchange = nil
        close()
        guard let exchange = ended else { return }
        let report: GatewayReport =
            if !exchange.isSentWhole {
                .notSent(.brokenWhileSending)
            } else if exchange.isAbandoned {
                .unknown(.timeout)
            } else if let head = exchange.head {
                .unknown(.unreadable(status: Int(head.status.code)))
            } else {
                .unknown(.connectionLost)
            }
        self.ended(self, exchange.id, exchange.request, report)
    }
}
