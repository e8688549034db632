// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import NIOCore

/// One connection to the gateway, carrying one request at a time.
///
/// Tells exactly once of each request what became of it. A request counts as sent once its last byte has been handed to the
/// kernel: NIO fulfils the promise of the write then, and fails it if the connection breaks before.
final class GatewayConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Exchange {
        let id: RequestID
        let evidence: SignedRequest.Evidence
        var isSentWhole = false
        var isAbandoned = false
    }

    private let channel: any Channel
    private var exchange: Exchange?
    /// Reads the answer of the exchange.
    private var reader = AnswerReader()
    private let ended: (GatewayConnection, RequestID, SignedRequest.Evidence, GatewayReport) -> Void
    /// When the last request was sent.
    private(set) var sentAt = Instant(nanoseconds: 0)
    /// Whether another request may be sent.
    private(set) var isReusable = true
    /// The request that is on the connection.
    var requestID: RequestID? { exchange?.id }

    /// - Parameters:
    ///   - channel: The connection, made and checked.
    ///   - ended: Called once for each request.
    init(
        channel: any Channel,
        ended: @escaping (GatewayConnection, RequestID, SignedRequest.Evidence, GatewayReport) -> Void,
    ) {
        self.channel = channel
        self.ended = ended
    }

    /// Sends a request; the one before must have ended.
    func send(_ id: RequestID, _ request: ByteBuffer, _ evidence: SignedRequest.Evidence) {
        precondition(exchange == nil, "a connection carries one request at a time")
        exchange = Exchange(id: id, evidence: evidence)
        sentAt = Clock.now
        reader.startOver()
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            guard exchange?.id == id else { return }
            switch result {
            case .success: exchange?.isSentWhole = true
            case .failure: fail()
            }
        }
        channel.writeAndFlush(request, promise: written)
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
        let buffer = unwrapInboundIn(data)
        // Without a request that waits for it, the connection is not to be trusted.
        guard exchange != nil else { return fail() }
        switch reader.read(buffer.readableBytesUInt8Span) {
        case .incomplete: break
        case .complete: answered()
        case .malformed: fail(.unreadable(status: reader.status))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if exchange != nil, reader.connectionEnded() == .complete { answered() }
        fail()
        context.fireChannelInactive()
    }

    private func answered() {
        guard let exchange, let status = reader.status else { return }
        self.exchange = nil
        // An answer before the request was whole leaves the rest of it on the connection.
        if !reader.isKeptAlive || !exchange.isSentWhole { close() }
        let answer = HTTPAnswer(
            status: status,
            retryAfterMilliseconds: reader.retryAfterMilliseconds,
            head: reader.head,
            body: reader.body,
            isRequestWhole: exchange.isSentWhole,
        )
        ended(self, exchange.id, exchange.evidence, .answered(answer))
    }

    /// Ends the connection, and the request that is on it without an answer.
    ///
    /// - Parameter doubt: Why there is none; `nil` for what can be told from how far it came.
    private func fail(_ doubt: Doubt? = nil) {
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
            } else {
                .unknown(doubt ?? reader.status.map { .unreadable(status: $0) } ?? .connectionLost)
            }
        self.ended(self, exchange.id, exchange.evidence, report)
    }
}
