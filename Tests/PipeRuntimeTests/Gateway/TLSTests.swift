// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import NIOCore
import PipeRuntime
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    private static let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"

    private let ids = TestGateway.requestIDs(2)

    @Test(arguments: ["127.0.0.1", "localhost"])
    func `sends to a gateway whose certificate is signed by the CA file`(_ host: String) async throws {
        try await TestCertificate.using("DNS:localhost,IP:127.0.0.1") { certificate in
            let peer = try await TLSPeer(certificate, answer: Self.answer)
            let gateway = try await TestGateway(
                GatewayEndpoint(isEncrypted: true, host: host, port: peer.port),
                caFile: certificate.path,
            )
            #expect(try await gateway.exchange(ids[0]).status == 200)
            #expect(try await gateway.end() == 0)
            try await peer.end()
        }
    }

    @Test func `sends nothing to a gateway whose certificate nobody known has signed`() async throws {
        try await TestCertificate.using("IP:127.0.0.1") { certificate in
            let peer = try await TLSPeer(certificate, answer: Self.answer)
            try await TestCertificate.using("IP:127.0.0.1") { other in
                for caFile in [nil, other.path] {
                    let gateway = try await TestGateway(
                        GatewayEndpoint(isEncrypted: true, host: "127.0.0.1", port: peer.port),
                        caFile: caFile,
                    )
                    let report = try await gateway.exchange(ids[0])
                    #expect(
                        report.notSent
                            == .certificate("it has expired, or is not signed by a known authority; --ca-file adds one")
                    )
                    #expect(try await gateway.end() == 0)
                }
            }
            try await peer.end()
        }
    }

    @Test(arguments: [("DNS:localhost", "127.0.0.1"), ("IP:127.0.0.1,DNS:elsewhere.example", "localhost")])
    func `sends nothing to a gateway with a certificate for another host`(_ names: String, _ host: String) async throws
    {
        try await TestCertificate.using(names) { certificate in
            let peer = try await TLSPeer(certificate, answer: Self.answer)
            let gateway = try await TestGateway(
                GatewayEndpoint(isEncrypted: true, host: host, port: peer.port),
                caFile: certificate.path,
            )
            #expect(try await gateway.exchange(ids[0]).notSent == .certificate("it is not for this host name"))
            #expect(try await gateway.end() == 0)
            try await peer.end()
        }
    }

    @Test func `sends nothing to a gateway that speaks no TLS`() async throws {
        let peer = try Peer { connection in
            connection.read(1)
            connection.write(Self.answer)
            _ = connection.readToEnd()
        }
        let gateway = try await TestGateway(GatewayEndpoint(isEncrypted: true, host: "127.0.0.1", port: peer.port))
        #expect(try await gateway.exchange(ids[0]).notSent == .noConnection("TLS failed"))
        #expect(try await gateway.end() == 0)
    }

    @Test func `sends nothing where the CA file cannot be read`() async throws {
        let gateway = try await TestGateway(
            GatewayEndpoint(isEncrypted: true, host: "127.0.0.1", port: 1),
            caFile: "/nonexistent",
        )
        #expect(try await gateway.exchange(ids[0]).notSent != nil)
        #expect(try await gateway.end() == 0)
    }

    /// Ending TLS in order would write the rest of the request first: it would be sent after it was reported as not sent.
    @Test func `lets nothing more out of a request that is given up while it leaves`() async throws {
        try await TestCertificate.using("IP:127.0.0.1") { certificate in
            let peer = try await TLSPeer(certificate, answer: nil)
            let gateway = try await TestGateway(
                GatewayEndpoint(isEncrypted: true, host: "127.0.0.1", port: peer.port),
                caFile: certificate.path,
            )
            let size = TestGateway.hugeBody
            try await gateway.send(ids[0], bodyBytes: size)
            for await channel in peer.arrivals {
                try await gateway.abandon(ids[0])
                #expect(try await gateway.report().notSent == .brokenWhileSending)
                try await channel.setOption(.autoRead, value: true).get()
                break
            }
            for await count in peer.counts {
                #expect(count < size)
                break
            }
            #expect(try await gateway.end() == 0)
            try await peer.end()
        }
    }

    // MARK: - Proxies

    @Test(arguments: [
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "the proxy refused the tunnel"),
        ("HTTP/1.1 407 Proxy\r\ncontent-length: 0\r\n\r\n", "the proxy asks for other credentials"),
        ("HTTP/1.1 200 OK\r\n\r\n", nil),
        ("", "the proxy refused the tunnel"),
    ])
    func `sends nothing where the proxy opens no tunnel`(_ answer: String, _ reason: String?) async throws {
        let (heads, continuation) = AsyncStream.makeStream(of: String.self)
        let peer = try Peer { connection in
            continuation.yield(connection.readRequest())
            connection.write(answer)
        }
        let endpoint = GatewayEndpoint(isEncrypted: true, host: "::1", port: 8443)
        let environment = ["HTTPS_PROXY": "http://user:password@127.0.0.1:\(peer.port)"]
        let gateway = try await TestGateway(
            endpoint,
            proxy: try Proxy.proxy(for: endpoint, environment: environment),
        )
        let notSent = try await gateway.exchange(ids[0]).notSent
        // A tunnel that is closed at once may break in several places.
        #expect(reason.map { notSent == .noConnection($0) } ?? (notSent != nil))
        for await head in heads {
            #expect(head.hasPrefix("CONNECT [::1]:8443 HTTP/1.1\r\n"))
            #expect(head.contains("host: [::1]:8443\r\n"))
            #expect(head.contains("proxy-authorization: Basic dXNlcjpwYXNzd29yZA==\r\n"))
            break
        }
        #expect(try await gateway.end() == 0)
    }
}
