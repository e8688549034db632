// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Glibc
import Testing

/// Clients that take their time, and many of them.
@Suite struct SlowClientTests {
    private func withServer(
        _ change: (inout SimulatorConfiguration) -> Void,
        _ body: (UInt16) throws -> Void,
    ) async throws {
        var configuration = TestAccount.configuration
        change(&configuration)
        let server = try SimulatorServer.start(configuration: configuration)
        let result = Result { try body(#require(server.endpoint.split(separator: ":").last.flatMap { UInt16($0) })) }
        try server.shutdown()
        try result.get()
    }

    @Test(arguments: [
        ("", ""), ("POST / HT", ""), ("POST / HTTP/1.1\r\nhost: x\r\n", ""),
        ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nslow", "HTTP/1.1 408 "),
        ("GET /_sim/none HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", "HTTP/1.1 404 "),
    ])
    func `closes a connection that brings no whole request in time`(sent: String, answer: String) async throws {
        try await withServer({ $0.idleTime = .milliseconds(100) }) { port in
            let socket = try SocketClient.connect(port: port, seconds: 30)
            defer { close(socket) }
            let bytes = Array(sent.utf8)
            #expect(unsafe bytes.withUnsafeBytes { unsafe send(socket, $0.baseAddress, $0.count, 0) } == bytes.count)
            let received = String(decoding: SocketClient.readAll(socket), as: UTF8.self)
            #expect(answer.isEmpty ? received.isEmpty : received.hasPrefix(answer), "\(received)")
        }
    }

    @Test func `refuses bodies that are too many at once, and takes them when the others are gone`() async throws {
        try await withServer({ $0.maximumArrivingBytes = 150_000 }) { port in
            let lines = ["POST /_sim/none HTTP/1.1", "host: 127.0.0.1", "connection: close", "content-length: 100001"]
            let head = lines.joined(separator: "\r\n") + "\r\n\r\n"
            let begun = Array(head.utf8) + [UInt8](repeating: 0x78, count: 100_000)
            let whole = begun + [0x78]
            func begin() throws -> Int32 {
                let socket = try SocketClient.connect(port: port, seconds: 30)
                let count = unsafe begun.withUnsafeBytes { unsafe send(socket, $0.baseAddress, $0.count, 0) }
                try #require(count == begun.count)
                return socket
            }
            var slow = try begin()
            var status: Int?
            while status != 503 {
                status = SocketClient.parse(try SocketClient.exchange(whole, port: port, seconds: 30))?.status
                try #require(status == 503 || status == 404)
                // Where more of this one's bytes are there first, it is taken and the slow one is refused.
                guard SocketClient.hasAnswer(slow) else { continue }
                close(slow)
                slow = try begin()
                status = nil
            }
            #expect(unsafe whole.suffix(1).withUnsafeBytes { unsafe send(slow, $0.baseAddress, $0.count, 0) } == 1)
            close(slow)
            repeat {
                status = SocketClient.parse(try SocketClient.exchange(whole, port: port, seconds: 30))?.status
                try #require(status == 503 || status == 404)
            } while status != 404
        }
    }
}
