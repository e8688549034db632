// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Glibc

/// A blocking HTTP client of one connection and one request, which shows what really came over the socket.
enum SocketClient {
    struct Failure: Error { var step: String }

    /// Sends a request and reads until the other side closes; `nil` if nothing came.
    static func answer(to request: SimulatedRequest, port: UInt16) throws -> SimulatedAnswer? {
        var text = "\(request.method) \(String(decoding: request.target, as: UTF8.self)) HTTP/1.1\r\n"
        for header in request.headers { text += "\(header.name): \(header.value)\r\n" }
        text += "content-length: \(request.body.count)\r\nconnection: close\r\n\r\n"
        let received = try exchange(Array(text.utf8) + request.body, port: port)
        return received.isEmpty ? nil : parse(received)
    }

    /// Sends bytes and reads until the other side closes or `seconds` pass.
    static func exchange(_ bytes: [UInt8], port: UInt16, seconds: Int = 5) throws -> [UInt8] {
        let socket = try connect(port: port, seconds: seconds)
        defer { close(socket) }
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes {
                unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // The other side may answer and close before it has read everything.
            guard count > 0 else { break }
            sent += count
        }
        return readAll(socket)
    }

    /// Opens a connection that reads for at most `seconds`.
    static func connect(port: UInt16, seconds: Int = 5) throws -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Failure(step: "socket") }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(socket)
            throw Failure(step: "connect")
        }
        return socket
    }

    /// Whether something has come, or the other side has closed.
    static func hasAnswer(_ socket: Int32) -> Bool {
        var byte: UInt8 = 0
        return unsafe recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) >= 0
    }

    static func readAll(_ socket: Int32) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return received }
            received.append(contentsOf: buffer[..<count])
        }
    }

    /// Takes an answer apart; its body is cut if less came than promised.
    static func parse(_ bytes: [UInt8]) -> SimulatedAnswer? {
        let separator = Array("\r\n\r\n".utf8)
        guard let end = bytes.firstRange(of: separator) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, let status = Int(first.split(separator: " ")[1]) else { return nil }
        let headers = lines.dropFirst().compactMap { line -> HeaderField? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return HeaderField(String(parts[0]), String(parts[1].drop { $0 == " " }))
        }
        return SimulatedAnswer(status: status, headers: headers, body: Array(bytes[end.upperBound...]))
    }
}
