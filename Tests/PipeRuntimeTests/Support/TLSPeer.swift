// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// A throw-away certificate that signs itself, and its key, in a file without a name.
struct TestCertificate: Sendable {
    struct Failure: Error {}

    /// Both in PEM.
    fileprivate let text: [UInt8]
    private let file: Descriptor
    /// Where the file can be opened while the certificate is used.
    var path: String { "/dev/fd/\(file.number)" }

    /// Has a certificate for the time of a test.
    ///
    /// - Parameters:
    ///   - names: What it is for, such as `DNS:localhost,IP:127.0.0.1`.
    ///   - body: The test.
    /// - Throws: What the test throws, and ``Failure`` if there can be no certificate.
    static func using(_ names: String, _ body: (TestCertificate) async throws -> Void) async throws {
        let certificate = try TestCertificate(for: names)
        defer { certificate.file.close() }
        try await body(certificate)
    }

    /// Makes a certificate with the `openssl` command.
    private init(for names: String) throws {
        let command = """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
            -addext subjectAltName=\(names) -keyout /dev/stdout -out /dev/stdout 2> /dev/null
            """
        guard let output = unsafe popen(command, "r") else { throw Failure() }
        text = Descriptor(unsafe dup(fileno(output))).read()
        guard unsafe pclose(output) == 0 else { throw Failure() }
        file = Descriptor(holding: String(decoding: text, as: UTF8.self))
    }
}

/// A server that speaks TLS, and answers what comes or stops reading it.
final class TLSPeer: Sendable {
    let port: Int
    /// How many bytes each connection had brought when it ended.
    let counts: AsyncStream<Int>
    /// Tells when a connection has brought its first bytes.
    let arrivals: AsyncStream<any Channel>
    private let group: MultiThreadedEventLoopGroup

    /// Listens.
    ///
    /// - Parameters:
    ///   - certificate: What it shows.
    ///   - answer: What it says to the first bytes; with none, it reads no more until it is told to.
    /// - Throws: Errors of NIO.
    init(_ certificate: TestCertificate, answer: String?) async throws {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(certificate.text).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: certificate.text, format: .pem)),
        )
        configuration.applicationProtocols = ["http/1.1"]
        let context = try NIOSSLContext(configuration: configuration)
        let (counts, counted) = AsyncStream.makeStream(of: Int.self)
        let (arrivals, arrived) = AsyncStream.makeStream(of: (any Channel).self)
        self.counts = counts
        self.arrivals = arrivals
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_rcvbuf), value: 4096)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: context),
                        Handler(answer: answer, arrived: arrived, counted: counted),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func end() async throws { try await group.shutdownGracefully() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: String?
        private let arrived: AsyncStream<any Channel>.Continuation
        private let counted: AsyncStream<Int>.Continuation
        private var count = 0

        init(answer: String?, arrived: AsyncStream<any Channel>.Continuation, counted: AsyncStream<Int>.Continuation) {
            self.answer = answer
            self.arrived = arrived
            self.counted = counted
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let isFirst = count == 0
            count += unwrapInboundIn(data).readableBytes
            guard isFirst else { return }
            if let answer {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            } else {
                _ = context.channel.setOption(.autoRead, value: false)
            }
            arrived.yield(context.channel)
        }

        func channelInactive(context: ChannelHandlerContext) {
            counted.yield(count)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
