// SPDX-License-Identifier: Apache-2.0

import Glibc
import MessagePipe
import NIOCore
import NIOHTTP1
import NIOPosix
import PipeRuntime
import Synchronization
import Testing

struct AnswerReaderTests {
    /// An answer with what stands in it, read to the connection's end.
    struct Read: Equatable {
        var status: Int
        var body: String
        var isKeptAlive: Bool
    }

    static let whole: [(String, Read)] = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", Read(status: 200, body: "{}", isKeptAlive: true)),
        ("HTTP/1.1 200\r\nContent-Length:2 \r\n\r\n{}", Read(status: 200, body: "{}", isKeptAlive: true)),
        ("HTTP/1.1 404 N\u{e9}\r\nCONTENT-LENGTH:\t0\r\n\r\n", Read(status: 404, body: "", isKeptAlive: true)),
        ("HTTP/1.1 200 OK\r\n\r\n{}", Read(status: 200, body: "{}", isKeptAlive: false)),
        ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", Read(status: 200, body: "{}", isKeptAlive: false)),
        (
            "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\n{}",
            Read(status: 200, body: "{}", isKeptAlive: true)
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\ncontent-length: 2\r\n\r\n{}",
            Read(status: 200, body: "{}", isKeptAlive: false)
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", Read(status: 204, body: "", isKeptAlive: true)),
        ("HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", Read(status: 304, body: "", isKeptAlive: true)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\n{\r\nA;x=y;z\r\n012345678}\r\n0\r\n\r\n",
            Read(status: 200, body: "{012345678}", isKeptAlive: true)
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n002\r\n{}\r\n0\r\na: b\r\nc: d\r\n\r\n",
            Read(status: 200, body: "{}", isKeptAlive: true)
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
            Read(status: 200, body: "x", isKeptAlive: true)
        ),
    ]

    @Test(arguments: whole)
    func `reads an answer however it is cut`(_ answer: String, _ expected: Read) {
        let bytes = Array(answer.utf8)
        #expect(read([bytes]) == expected)
        #expect(read(bytes.map { [$0] }) == expected)
        for end in bytes.indices { #expect(read([Array(bytes[..<end]), Array(bytes[end...])]) == expected) }
    }

    @Test(arguments: whole)
    func `reads an answer the same with the storage of others`(_ answer: String, _ expected: Read) {
        var reader = AnswerReader()
        for (before, _) in Self.whole {
            for count in [before.utf8.count / 2, before.utf8.count] {
                _ = reader.read(before.utf8.span.extracting(first: count))
                reader.startOver()
                #expect(read([Array(answer.utf8)], by: &reader) == expected)
                reader.startOver()
            }
        }
    }

    @Test(arguments: whole)
    func `agrees with another reader`(_ answer: String, _ expected: Read) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        #expect(try await OtherReader.read(Array(answer.utf8), on: group) == expected)
        try await group.shutdownGracefully()
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "HTTP/1.1 200 OK\r\na : x\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: x\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\na: x\u{0}\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: x\ry\r\n\r\n", "HTTP/1.1 200 OK\r\na: x\ny: z\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 4194305\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1 \r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\nx\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxy\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n400001\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;x=\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1x\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\na\rb\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: \u{1}\r\n\r\n",
    ])
    func `refuses what leaves open where an answer ends`(_ answer: String) {
        var reader = AnswerReader()
        #expect(reader.read(answer.utf8.span) == .malformed)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nx: ", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", "HTTP/1.1 200 OK\r\n\r\n",
    ])
    func `refuses what has no end`(_ beginning: String) {
        var reader = AnswerReader()
        #expect(reader.read(beginning.utf8.span) == .incomplete)
        let more = [UInt8](repeating: UInt8(ascii: "x"), count: 4_096)
        var count = 0
        while reader.read(more.span) == .incomplete { count += more.count }
        #expect(count <= AnswerReader.maximumBodyBytes)
        #expect(reader.body.count > 0 || count <= AnswerReader.maximumHeadBytes)
    }

    @Test(arguments: ["x", "\r\n", "HTTP/1.1 200 OK\r\n"])
    func `does not trust a connection on which more comes than was asked for`(_ rest: String) {
        for (answer, expected) in Self.whole where expected.isKeptAlive {
            var reader = AnswerReader()
            #expect(reader.read((answer + rest).utf8.span) == .complete)
            #expect(!reader.isKeptAlive)
        }
    }

    @Test func `tells fields by their names`() {
        let head = Array("HTTP/1.1 200 OK\r\nDate-: x\r\nDATE:  now\t\r\ndate: later\r\n\r\n".utf8)
        #expect(AnswerHead.value(of: "date", in: head.span) == "now")
        #expect(AnswerHead.value(of: "x-acs-retry-after", in: head.span) == nil)
    }

    @Test(arguments: [
        ("", nil), ("x-acs-retry-after: 1500\r\n", 1_500), ("X-Acs-Retry-After:\t7 \r\n", 7),
        ("x-acs-retry-after: 2\r\nx-acs-retry-after: 3\r\n", 2), ("x-acs-retry-after: \r\n", nil),
        ("x-acs-retry-after: soon\r\nx-acs-retry-after: 3\r\n", nil), ("x-acs-retry-after: -1\r\n", nil),
    ])
    func `tells the wait that is asked for`(_ fields: String, _ expected: Int?) {
        var reader = AnswerReader()
        #expect(reader.read("HTTP/1.1 429 Slow\r\n\(fields)content-length: 0\r\n\r\n".utf8.span) == .complete)
        #expect(reader.retryAfterMilliseconds == expected)
        reader.startOver()
        #expect(reader.retryAfterMilliseconds == nil)
    }

    /// Whatever it finds whole, another reader finds whole and the same; and it finds the same in any pieces.
    @Test(arguments: [1, 2, 3, 4, 5])
    func `is never less strict than another reader with damaged answers`(_ seed: UInt64) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var random = SeededGenerator(seed: seed)
        let spare = Array("\r\n :;0129aA\u{0}\t,-xHTTP/connection:chunked".utf8)
        var wholeCount = 0
        for _ in 0..<2_000 {
            var bytes = Array(Self.whole[Int.random(in: Self.whole.indices, using: &random)].0.utf8)
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                let byte = spare[Int.random(in: spare.indices, using: &random)]
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                default: bytes.remove(at: place)
                }
            }
            let atOnce = read([bytes])
            // Bytes behind the answer are seen only where they come with it.
            let inPieces = read(bytes.map { [$0] })
            #expect(inPieces?.status == atOnce?.status && inPieces?.body == atOnce?.body)
            guard let atOnce else { continue }
            wholeCount += 1
            var other = try await OtherReader.read(bytes, on: group)
            if !atOnce.isKeptAlive { other?.isKeptAlive = false }
            #expect(other == atOnce, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
        #expect(wholeCount > 200)
        try await group.shutdownGracefully()
    }

    /// What the reader finds in pieces and the connection's end after them; `nil` if it is no whole answer.
    private func read(_ pieces: [[UInt8]]) -> Read? {
        var reader = AnswerReader()
        return read(pieces, by: &reader)
    }

    private func read(_ pieces: [[UInt8]], by reader: inout AnswerReader) -> Read? {
        var progress = AnswerReader.Progress.incomplete
        for piece in pieces where progress == .incomplete { progress = reader.read(piece.span) }
        if progress == .incomplete { progress = reader.connectionEnded() }
        guard progress == .complete, let status = reader.status else { return nil }
        let body = String(decoding: reader.body, as: UTF8.self)
        return Read(status: status, body: body, isKeptAlive: reader.isKeptAlive)
    }
}

/// NIO's codec, to compare with.
private final class OtherReader: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private struct State {
        var read: AnswerReaderTests.Read?
        var isFramed = false
        var isWhole = false
        var hasFailed = false
    }

    private let state = Mutex(State())

    /// What it finds in bytes and the connection's end after them; `nil` if it is no whole answer.
    static func read(_ bytes: [UInt8], on group: MultiThreadedEventLoopGroup) async throws -> AnswerReaderTests.Read? {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return nil }
        defer { close(ends[1]) }
        let reader = OtherReader()
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
                    try channel.pipeline.syncOperations.addHandler(reader)
                }
            }
            .withConnectedSocket(ends[0]).get()
        // No answer without a request.
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/", headers: ["content-length": "0"])
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        try await channel.writeAndFlush(HTTPClientRequestPart.end(nil))
        _ = unsafe bytes.withUnsafeBytes { unsafe write(ends[1], $0.baseAddress, $0.count) }
        shutdown(ends[1], Int32(SHUT_WR))
        try await channel.closeFuture.get()
        return reader.state.withLock { state in
            guard state.isWhole, var read = state.read else { return nil }
            if !state.isFramed || state.hasFailed { read.isKeptAlive = false }
            return read
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        state.withLock { state in
            guard !state.isWhole else { return }
            switch unwrapInboundIn(data) {
            case .head(let head):
                let hasNoBody = head.status == .noContent || head.status == .notModified
                let framing = ["content-length", "transfer-encoding"]
                state.isFramed = hasNoBody || framing.contains { head.headers.contains(name: $0) }
                state.read = .init(status: Int(head.status.code), body: "", isKeptAlive: head.isKeepAlive)
            case .body(let buffer):
                state.read?.body += String(buffer: buffer)
            case .end:
                state.isWhole = true
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        state.withLock { $0.hasFailed = true }
        context.close(promise: nil)
    }
}
