// SPDX-License-Identifier: Apache-2.0

package import AlibabaCloudSMS
import MessagePipe
import NIOCore
import NIOPosix
import Synchronization

/// Asks other machines for temporary credentials.
package final class CredentialsClient: Sendable {
    private let environment: [String: String]
    private let caFile: String?
    /// Made with the first question and kept.
    ///
    /// Later there may be no descriptors left for another, and a look-up of a name may come back long after its question was
    /// given up. It is not that of the run, which must not wait.
    private let eventLoop = Mutex<(any EventLoop)?>(nil)

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - environment: The variables by name, for the proxy.
    ///   - caFile: A file of further trusted certificates.
    package init(environment: [String: String], caFile: String?) {
        self.environment = environment
        self.caFile = caFile
    }

    /// Asks, and waits on this thread, which must be none of an event loop's.
    ///
    /// - Throws: ``CredentialsUnavailable`` where there is no connection or no answer in time.
    package func ask(_ request: CredentialsRequest) throws(CredentialsUnavailable) -> CredentialsRequest.Answer {
        guard let endpoint = GatewayEndpoint(request.origin) else {
            throw CredentialsUnavailable(reason: "the address has no host and port; give http://host:port/path")
        }
        let proxy: Proxy?
        do throws(GatewayConfigurationError) {
            proxy = try Proxy.proxy(for: endpoint, environment: environment)
        } catch {
            throw CredentialsUnavailable(reason: "\(error)")
        }
        let eventLoop = eventLoop.withLock { eventLoop in
            let loop = eventLoop ?? MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
            eventLoop = loop
            return loop
        }
        do {
            return try eventLoop.flatSubmit { [caFile] in
                let answered = eventLoop.makePromise(of: CredentialsRequest.Answer.self)
                let unanswered = CredentialsUnavailable(reason: "\(endpoint.host) does not answer")
                let timer = eventLoop.scheduleTask(in: .seconds(Int64(request.timeout))) { answered.fail(unanswered) }
                answered.futureResult.whenComplete { _ in timer.cancel() }
                let door = LoopDoor(eventLoop)
                var connector = Connector(endpoint: endpoint, proxy: proxy, caFile: caFile, door: door)
                connector.connect().whenComplete { connected in
                    switch connected {
                    case .success(let channel): Self.ask(request, of: endpoint, on: channel, answered, or: unanswered)
                    case .failure(let error):
                        let why = Self.text(of: Connector.reason(error))
                        answered.fail(CredentialsUnavailable(reason: "\(endpoint.host): \(why)"))
                    }
                }
                return answered.futureResult
            }.wait()
        } catch let error as CredentialsUnavailable {
            throw error
        } catch {
            throw CredentialsUnavailable(reason: "\(endpoint.host): \(error)")
        }
    }

    private static func ask(
        _ request: CredentialsRequest,
        of endpoint: GatewayEndpoint,
        on channel: any Channel,
        _ answered: EventLoopPromise<CredentialsRequest.Answer>,
        or unanswered: CredentialsUnavailable,
    ) {
        answered.futureResult.whenComplete { _ in channel.close(promise: nil) }
        do {
            try channel.pipeline.syncOperations.addHandler(AnswerHandler(answered, or: unanswered))
            channel.writeAndFlush(ByteBuffer(bytes: Self.text(of: request, to: endpoint)), promise: nil)
        } catch {
            answered.fail(unanswered)
        }
    }

    private static func text(of reason: NotSentReason) -> String {
        switch reason {
        case .noConnection(let why): "no connection (\(why))"
        case .certificate(let why): "its certificate was refused (\(why))"
        case .brokenWhileSending: "the connection broke"
        }
    }

    private static func text(of request: CredentialsRequest, to endpoint: GatewayEndpoint) -> [UInt8] {
        var head = "\(request.method.rawValue) \(request.target) HTTP/1.1\r\nHost: \(endpoint.hostHeader)\r\n"
        head += "User-Agent: smspipe\r\nAccept: application/json\r\nConnection: close\r\n"
        if let field = request.field { head += "\(field.name): \(field.value)\r\n" }
        if request.method != .get {
            if !request.form.isEmpty { head += "Content-Type: application/x-www-form-urlencoded\r\n" }
            head += "Content-Length: \(request.form.count)\r\n"
        }
        return Array((head + "\r\n").utf8) + request.form
    }
}

/// Reads the one answer of a connection.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var reader = AnswerReader()
    private let answered: EventLoopPromise<CredentialsRequest.Answer>
    private let unanswered: CredentialsUnavailable

    init(_ answered: EventLoopPromise<CredentialsRequest.Answer>, or unanswered: CredentialsUnavailable) {
        self.answered = answered
        self.unanswered = unanswered
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        take(reader.read(buffer.readableBytesUInt8Span))
    }

    func channelInactive(context: ChannelHandlerContext) {
        if take(reader.connectionEnded()) != .complete { answered.fail(unanswered) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answered.fail(unanswered)
    }

    @discardableResult
    private func take(_ progress: AnswerReader.Progress) -> AnswerReader.Progress {
        switch progress {
        case .incomplete: break
        case .complete: answered.succeed(CredentialsRequest.Answer(status: reader.status ?? 0, body: reader.body))
        case .malformed: answered.fail(unanswered)
        }
        return progress
    }
}
