// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// A server of blocking sockets on a loopback port that plays a script on each connection, one after the other.
final class Peer: Sendable {
    struct Failure: Error { var step: String }

    /// The port it listens on.
    let port: Int
    private let listener: Int32
    private let accepted = Atomic(0)
    private let ended = DispatchGroup()

    /// How many connections came.
    var connectionCount: Int { accepted.load(ordering: .relaxed) }

    /// Listens, and plays one script a connection; when all are played, nobody is accepted any more.
    ///
    /// - Parameters:
    ///   - receiveBuffer: The size of the kernel's buffer for what comes in; small, so that writers stall.
    ///   - scripts: What to do with each connection; it is closed behind the script.
    /// - Throws: If no socket can be made.
    init(receiveBuffer: Int32? = nil, _ scripts: [@Sendable (PeerConnection) -> Void]) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw Failure(step: "socket") }
        if var size = receiveBuffer {
            unsafe setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        port = try Self.listen(listener)
        DispatchQueue(label: "peer").async(group: ended) { [listener, accepted = self] in
            for script in scripts {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                accepted.accepted.add(1, ordering: .relaxed)
                let ended = PeerConnection(connection)
                script(ended)
                ended.end()
            }
        }
    }

    convenience init(receiveBuffer: Int32? = nil, _ script: @escaping @Sendable (PeerConnection) -> Void) throws {
        try self.init(receiveBuffer: receiveBuffer, [script])
    }

    deinit { close(listener) }

    /// Waits until all scripts are played, or accepts no more; for the end of a test.
    func end() {
        shutdown(listener, Int32(SHUT_RDWR))
        ended.wait()
    }

    /// Calls a function with a port that refuses connections.
    ///
    /// It is held meanwhile: a port that was merely free a moment ago may be another test's by now.
    static func withClosedPort<Result>(_ body: (Int) async throws -> Result) async throws -> Result {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        return try await body(bind(socket))
    }

    private static func listen(_ socket: Int32) throws -> Int {
        let port = try bind(socket)
        guard Glibc.listen(socket, 16) == 0 else { throw Failure(step: "listen") }
        return port
    }

    /// Gives a socket a loopback port of its own.
    private static func bind(_ socket: Int32) throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard unsafe Glibc.bind(socket, pointer, size) == 0 else { return Int32(-1) }
                return unsafe getsockname(socket, pointer, &size)
            }
        }
        guard status == 0 else { throw Failure(step: "bind") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// A peer's side of one connection; used by its script's thread alone.
final class PeerConnection: Sendable {
    private let socket: Int32
    private let isEnded = Atomic(false)

    fileprivate init(_ socket: Int32) {
        self.socket = socket
        // A test that waits for what never comes fails instead of hanging.
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Reads a number of bytes, fewer if the other side closes.
    @discardableResult
    func read(_ count: Int) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while received.count < count {
            let wanted = min(buffer.count, count - received.count)
            let got = unsafe buffer.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, wanted, 0) }
            guard got > 0 else { break }
            received.append(contentsOf: buffer[..<got])
        }
        return received
    }

    /// Reads until the other side closes, and counts.
    func readToEnd() -> Int {
        var count = 0
        while true {
            let got = read(1 << 16).count
            guard got > 0 else { return count }
            count += got
        }
    }

    /// Reads one request with its body.
    @discardableResult
    func readRequest() -> String {
        var received: [UInt8] = []
        while received.suffix(4) != Array("\r\n\r\n".utf8)[...] {
            let byte = read(1)
            guard !byte.isEmpty else { break }
            received += byte
        }
        let head = String(decoding: received, as: UTF8.self)
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
        read(length.flatMap { Int($0.dropFirst("content-length: ".count)) } ?? 0)
        return head
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes {
                unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Closes with a reset.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        end()
    }

    func end() {
        if !isEnded.exchange(true, ordering: .relaxed) { close(socket) }
    }
}
