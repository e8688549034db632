// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import NIOCore
import NIOExtras
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS

/// Makes connections to the gateway: TCP, the proxy's tunnel if there is one, TLS with certificate and name checked.
///
/// A connection is handed out only when all of that is done, so whatever fails here, nothing of a request has left.
package struct Connector {
    /// How long each step of the making of a connection may take, TCP, the proxy's tunnel and TLS: the connect time-out of the
    /// service's SDKs.
    static let timeout = TimeAmount.seconds(5)

    let endpoint: GatewayEndpoint
    let proxy: Proxy?
    let caFile: String?
    let eventLoop: any EventLoop
    private let resolver: SharedResolver
    /// Loaded with the first connection that needs it: reading the system's certificates takes longer than a short run.
    private var tlsContext: NIOSSLContext?

    /// Creates a connector; nothing is loaded or resolved yet.
    ///
    /// - Parameters:
    ///   - endpoint: Where connections lead.
    ///   - proxy: The proxy that they go through.
    ///   - caFile: A PEM file with further certificates to trust.
    ///   - door: The way onto the event loop that they are made on.
    package init(endpoint: GatewayEndpoint, proxy: Proxy?, caFile: String?, door: LoopDoor) {
        self.endpoint = endpoint
        self.proxy = proxy
        self.caFile = caFile
        eventLoop = door.eventLoop
        resolver = SharedResolver(on: door)
    }

    /// Makes a connection.
    mutating func connect() -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(Self.timeout)
        guard endpoint.isEncrypted else { return reach(endpoint.host, endpoint.port, bootstrap) }
        let context: NIOSSLContext
        do {
            context = try self.context()
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
        let endpoint = endpoint
        let connected =
            if let proxy {
                tunnel(bootstrap, through: proxy, to: endpoint)
            } else {
                reach(endpoint.host, endpoint.port, bootstrap)
            }
        return connected.flatMap { Self.startTLS(on: $0, context, endpoint) }
    }

    /// Makes a TCP connection.
    ///
    /// An address needs no resolver's thread, and no race between several addresses.
    private func reach(
        _ host: String,
        _ port: Int,
        _ bootstrap: ClientBootstrap,
    ) -> EventLoopFuture<any Channel> {
        if let address = try? SocketAddress(ipAddress: host, port: port) { return bootstrap.connect(to: address) }
        let reached = bootstrap.resolver(resolver).connect(host: host, port: port)
        reached.whenFailure { [resolver] _ in resolver.forget() }
        return reached
    }

    private mutating func context() throws -> NIOSSLContext {
        if let tlsContext { return tlsContext }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // NIOSSL compares the peer's address with the certificate where there is no name; behind a proxy that is the proxy's.
        if endpoint.isAddress { configuration.certificateVerification = .noHostnameVerification }
        if let caFile {
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(caFile))]
        }
        let context = try NIOSSLContext(configuration: configuration)
        tlsContext = context
        return context
    }

    /// Connects to the proxy and has it open a tunnel.
    private func tunnel(
        _ bootstrap: ClientBootstrap,
        through proxy: Proxy,
        to endpoint: GatewayEndpoint,
    ) -> EventLoopFuture<any Channel> {
        reach(proxy.host, proxy.port, bootstrap).flatMapErrorThrowing { throw ProxyUnreachable(cause: $0) }.flatMap {
            channel in
            let opened = channel.eventLoop.makePromise(of: Void.self)
            var headers = HTTPHeaders([("host", "\(endpoint.hostName):\(endpoint.port)")])
            if let authorization = proxy.authorization {
                headers.add(name: "proxy-authorization", value: authorization)
            }
            do {
                let encoder = HTTPRequestEncoder()
                let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes))
                let connect = NIOHTTP1ProxyConnectHandler(
                    targetHost: endpoint.hostName,
                    targetPort: endpoint.port,
                    headers: headers,
                    deadline: .now() + Self.timeout,
                    promise: opened,
                )
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandlers([encoder, decoder, connect])
                return opened.futureResult.assumeIsolated().flatMap {
                    pipeline.removeHandler(encoder).and(pipeline.removeHandler(decoder)).map { _ in channel }
                }.nonisolated()
            } catch {
                opened.fail(error)
                return channel.eventLoop.makeFailedFuture(error)
            }
        }
    }

    /// Puts TLS on a connection and waits for the end of the handshake.
    private static func startTLS(
        on channel: any Channel,
        _ context: NIOSSLContext,
        _ endpoint: GatewayEndpoint,
    ) -> EventLoopFuture<any Channel> {
        // A proxy may close the connection in the moment in which it has opened the tunnel.
        guard channel.isActive else { return channel.eventLoop.makeFailedFuture(ChannelError.eof) }
        let done = channel.eventLoop.makePromise(of: Void.self)
        var checked = done.futureResult
        do {
            let tls = try NIOSSLClientHandler(
                context: context,
                serverHostname: endpoint.isAddress ? nil : endpoint.host,
            )
            checked = checked.assumeIsolated().flatMapThrowing {
                guard tls.peerCertificate?.isFor(endpoint) == true else {
                    throw NIOSSLExtraError.failedToValidateHostname
                }
            }.nonisolated()
            try channel.pipeline.syncOperations.addHandlers([tls, HandshakeHandler(done: done)])
        } catch {
            done.fail(error)
        }
        let timer = channel.eventLoop.scheduleTask(in: timeout) { done.fail(ChannelError.connectTimeout(timeout)) }
        done.futureResult.whenComplete { _ in timer.cancel() }
        checked.whenFailure { _ in channel.cut() }
        return checked.map { channel }
    }

    /// Says why no connection could be made, in words that hold nothing secret.
    static func reason(_ error: any Error) -> NotSentReason {
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            .certificate("it is not for this host name")
        case NIOSSLError.handshakeFailed(let error):
            isCertificateError(error)
                ? .certificate("it has expired, or is not signed by a known authority; --ca-file adds one")
                : .noConnection("TLS failed")
        case NIOSSLError.unableToValidateCertificate, NIOSSLError.noCertificateToValidate:
            .certificate("it cannot be validated")
        case let error as ProxyUnreachable:
            .noConnection("the proxy cannot be reached: \(why(error.cause))")
        case let error as NIOHTTP1ProxyConnectHandler.Error where error == .proxyAuthenticationRequired():
            .noConnection("the proxy asks for other credentials")
        case let error as NIOHTTP1ProxyConnectHandler.Error where error == .httpProxyHandshakeTimeout():
            .noConnection("the proxy took longer than 5 s to open the tunnel")
        case is NIOHTTP1ProxyConnectHandler.Error:
            .noConnection("the proxy refused the tunnel")
        default:
            .noConnection(why(error))
        }
    }

    /// Says why there is no TCP connection.
    private static func why(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError: text(error)
        case let error as IOError: systemErrorText(error.errnoCode)
        case ChannelError.connectTimeout: "it took longer than 5 s"
        default: "it was closed while it was made"
        }
    }

    private static func isCertificateError(_ error: BoringSSLError) -> Bool {
        guard case .sslError(let stack) = error else { return false }
        return stack.contains { String(describing: $0).contains("CERTIFICATE_VERIFY_FAILED") }
    }

    private static func text(_ error: NIOConnectionError) -> String {
        for attempt in error.connectionErrors {
            if let error = attempt.error as? IOError { return systemErrorText(error.errnoCode) }
            if case ChannelError.connectTimeout = attempt.error { return "it took longer than 5 s" }
        }
        return error.dnsAError != nil || error.dnsAAAAError != nil ? "its name cannot be resolved" : "it failed"
    }
}

/// There is no connection to the proxy.
private struct ProxyUnreachable: Error {
    let cause: any Error
}

/// Waits for the end of a TLS handshake, then takes itself out.
private final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let done: EventLoopPromise<Void>

    init(done: EventLoopPromise<Void>) {
        self.done = done
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
            done.succeed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}

extension GatewayConfigurationError {
    /// Reads the certificates of `--ca-file`, so that a bad file is told before anything is sent.
    ///
    /// - Throws: ``GatewayConfigurationError``.
    package static func checkCertificates(_ path: String) throws(GatewayConfigurationError) {
        do {
            guard try !NIOSSLCertificate.fromPEMFile(path).isEmpty else {
                throw GatewayConfigurationError.certificates(path: path, why: "it holds no certificate")
            }
        } catch let error as GatewayConfigurationError {
            throw error
        } catch {
            throw .certificates(path: path, why: "it is no readable file of PEM certificates")
        }
    }
}
