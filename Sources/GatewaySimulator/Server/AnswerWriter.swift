// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Turns answers into the bytes of HTTP/1.1.
struct AnswerWriter {
    /// The `Date` of the last answer, which is the same for a second.
    private var lastDate: (seconds: Int64, text: String)?

    /// The bytes of an answer.
    ///
    /// - Parameters:
    ///   - answer: The answer.
    ///   - now: What time it is.
    ///   - keepsAlive: Whether the connection stays open after it.
    ///   - isHead: Whether the body is left out, as for HEAD.
    ///   - allocator: Makes the buffer.
    /// - Returns: The bytes to send.
    mutating func bytes(
        of answer: SimulatedAnswer,
        at now: WallTime,
        keepsAlive: Bool,
        isHead: Bool,
        _ allocator: ByteBufferAllocator,
    ) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: answer.body.count + 384)
        let reason = HTTPResponseStatus(statusCode: answer.status).reasonPhrase
        buffer.writeString("HTTP/1.1 \(answer.status) \(reason)\r\n")
        for header in answer.headers { buffer.writeString("\(header.name): \(header.value)\r\n") }
        buffer.writeString("date: \(date(at: now))\r\n")
        if !keepsAlive { buffer.writeString("connection: close\r\n") }
        // Source: RFC 9110, 8.6: an answer of 204 has no Content-Length.
        if answer.status != 204 { buffer.writeString("content-length: \(answer.body.count)\r\n") }
        buffer.writeString("\r\n")
        if !isHead { buffer.writeBytes(answer.body) }
        return buffer
    }

    private mutating func date(at now: WallTime) -> String {
        if let lastDate, lastDate.seconds == now.seconds { return lastDate.text }
        let text = now.httpDate
        lastDate = (now.seconds, text)
        return text
    }
}
