// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// A throw-away certificate that signs itself, and its key, in files.
struct TestCertificate: Sendable {
    struct Failure: Error {}

    let certificatePath: String
    let keyPath: String
    private let directory: String

    /// Has a certificate for the time of a test.
    ///
    /// - Parameters:
    ///   - names: What it is for, such as `DNS:localhost,IP:127.0.0.1`.
    ///   - body: The test.
    /// - Throws: What the test throws, and ``Failure`` if there can be no certificate.
    static func using(_ names: String, _ body: (TestCertificate) async throws -> Void) async throws {
        let certificate = try TestCertificate(for: names)
        defer { certificate.remove() }
        try await body(certificate)
    }

    /// Makes a certificate with the `openssl` command.
    private init(for names: String) throws {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? P_tmpdir
        var name = Array("\(parent)/smspipe-test-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&name) else { throw Failure() }
        directory = unsafe String(cString: made)
        certificatePath = "\(directory)/certificate.pem"
        keyPath = "\(directory)/key.pem"
        let status = unsafe system(
            """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
            -addext subjectAltName=\(names) -keyout \(keyPath) -out \(certificatePath) 2> /dev/null
            """
        )
        guard status == 0 else {
            remove()
            throw Failure()
        }
    }

    private func remove() {
        for path in [certificatePath, keyPath] { unsafe unlink(path) }
        unsafe rmdir(directory)
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
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate.certificatePath).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificate.keyPath, format: .pem)),
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
