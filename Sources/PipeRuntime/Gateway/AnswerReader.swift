// SPDX-License-Identifier: Apache-2.0

/// Reads the answers of a connection, one at a time, however they are cut into pieces.
///
/// Strict where a gateway has no choice: line ends, the framing of the body, the characters of fields. What leaves open where
/// the answer ends is refused, as the connection cannot be used after it and its body not be trusted.
/// Source: RFC 9112, sections 2 to 7.
package struct AnswerReader {
    /// The longest head that is read, and the longest trailer, in bytes; a real one has a few hundred.
    package static let maximumHeadBytes = 80 << 10
    /// The longest body that is read, in bytes; a real one has a few hundred.
    package static let maximumBodyBytes = 4 << 20

    /// The most storage that is kept for the next answer, in bytes.
    private static let keptCapacity = 16 << 10

    /// How far the reading has come.
    package enum Progress: Equatable {
        /// More must come.
        case incomplete
        /// The answer is whole.
        case complete
        /// It is none.
        case malformed
    }

    /// What the next byte belongs to.
    private enum Part: Equatable {
        case head
        case body(remaining: Int)
        case bodyToEnd
        case chunkSize
        case chunk(remaining: Int)
        case chunkEnd
        case trailer
    }

    /// The status of the answer; `nil` until its head is whole.
    package private(set) var status: Int?
    /// The head as it came, with the empty line at its end.
    package private(set) var head: [UInt8] = []
    /// What has come of the body, without its framing.
    package private(set) var body: [UInt8] = []
    /// Whether the connection can carry another request after the answer.
    package private(set) var isKeptAlive = false
    /// The wait that the head asks for; `nil` where it asks for none.
    package private(set) var retryAfterMilliseconds: Int?
    private var part = Part.head
    /// The line that is being read, of the framing of a body in chunks.
    private var line: [UInt8] = []
    private var trailerCount = 0

    /// Creates a reader that waits for an answer's first byte.
    package init() {}

    /// Waits for the first byte of another answer, with the storage of the last one.
    package mutating func startOver() {
        status = nil
        head.removeAll(keepingCapacity: head.capacity <= Self.keptCapacity)
        body.removeAll(keepingCapacity: body.capacity <= Self.keptCapacity)
        isKeptAlive = false
        retryAfterMilliseconds = nil
        part = .head
        line.removeAll(keepingCapacity: line.capacity <= Self.keptCapacity)
        trailerCount = 0
    }

    /// Takes the next bytes of the connection.
    ///
    /// - Parameter bytes: The bytes; those behind the answer's end make the connection unfit for another one.
    /// - Returns: How far the answer has come; once it is whole or malformed, no more bytes may be given.
    /// - Complexity: O(*n*) in the number of bytes.
    package mutating func read(_ bytes: Span<UInt8>) -> Progress {
        var index = 0
        while index < bytes.count {
            switch step(bytes, &index) {
            case .incomplete: break
            case .complete:
                if index < bytes.count { isKeptAlive = false }
                return .complete
            case .malformed: return .malformed
            }
        }
        return .incomplete
    }

    /// Tells that the connection has ended in order.
    ///
    /// - Returns: Whether that makes the answer whole.
    package mutating func connectionEnded() -> Progress {
        part == .bodyToEnd ? .complete : .incomplete
    }

    /// Reads on to the end of a part or of the bytes; advances the index.
    private mutating func step(_ bytes: Span<UInt8>, _ index: inout Int) -> Progress {
        switch part {
        case .head:
            return readHead(bytes, &index)
        case .body(let remaining):
            let count = take(remaining, bytes, &index)
            part = .body(remaining: remaining - count)
            return remaining == count ? .complete : .incomplete
        case .bodyToEnd:
            _ = take(.max, bytes, &index)
            return body.count > Self.maximumBodyBytes ? .malformed : .incomplete
        case .chunk(let remaining):
            let count = take(remaining, bytes, &index)
            part = remaining == count ? .chunkEnd : .chunk(remaining: remaining - count)
            return .incomplete
        case .chunkSize, .chunkEnd, .trailer:
            return readFramingLine(bytes, &index)
        }
    }

    /// Moves bytes to the body, at most as many as are given.
    private mutating func take(_ limit: Int, _ bytes: Span<UInt8>, _ index: inout Int) -> Int {
        let count = min(limit, bytes.count - index)
        unsafe bytes.extracting(index..<(index + count)).withUnsafeBufferPointer {
            unsafe body.append(contentsOf: $0)
        }
        index += count
        return count
    }

    // MARK: - The head

    private mutating func readHead(_ bytes: Span<UInt8>, _ index: inout Int) -> Progress {
        let start = index
        let isWhole = Self.findHeadEnd(bytes, &index, after: head)
        unsafe bytes.extracting(start..<index).withUnsafeBufferPointer {
            unsafe head.append(contentsOf: $0)
        }
        if head.count > Self.maximumHeadBytes { return .malformed }
        guard isWhole else { return .incomplete }
        guard let parsed = AnswerHead(head.span), parsed.status != 101 else { return .malformed }
        if parsed.status < 200 {
            // An answer before the answer, such as 100.
            head.removeAll(keepingCapacity: true)
            return .incomplete
        }
        status = parsed.status
        guard let framing = parsed.framing else { return .malformed }
        isKeptAlive = parsed.isKeptAlive
        retryAfterMilliseconds = parsed.retryAfterMilliseconds
        switch framing {
        case .length(let count):
            part = .body(remaining: count)
            if count > Self.maximumBodyBytes { return .malformed }
            return count == 0 ? .complete : .incomplete
        case .chunks:
            part = .chunkSize
        case .end:
            part = .bodyToEnd
            isKeptAlive = false
        }
        return .incomplete
    }

    /// Moves the index behind the empty line that ends a head.
    ///
    /// - Returns: Whether it is there; else the index is at the end.
    private static func findHeadEnd(_ bytes: Span<UInt8>, _ index: inout Int, after head: [UInt8]) -> Bool {
        // The last four bytes, the latest lowest.
        var last: UInt32 = 0
        for byte in head.suffix(3) { last = last << 8 | UInt32(byte) }
        while index < bytes.count {
            last = last << 8 | UInt32(bytes[index])
            index += 1
            if last == 0x0D0A_0D0A { return true }
        }
        return false
    }

    // MARK: - A body in chunks

    private mutating func readFramingLine(_ bytes: Span<UInt8>, _ index: inout Int) -> Progress {
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                if line.count + trailerCount > Self.maximumHeadBytes { return .malformed }
                continue
            }
            guard line.popLast() == UInt8(ascii: "\r") else { return .malformed }
            let progress = framingLineRead()
            line.removeAll(keepingCapacity: true)
            return progress
        }
        return .incomplete
    }

    private mutating func framingLineRead() -> Progress {
        switch part {
        case .chunkSize:
            guard let size = Self.chunkSize(line.span), body.count + size <= Self.maximumBodyBytes else {
                return .malformed
            }
            part = size == 0 ? .trailer : .chunk(remaining: size)
        case .chunkEnd:
            guard line.isEmpty else { return .malformed }
            part = .chunkSize
        default:
            if line.isEmpty { return .complete }
            guard AnswerHead.isField(line.span) else { return .malformed }
            trailerCount += line.count
        }
        return .incomplete
    }

    /// The size at the beginning of a chunk's line; extensions, `;name` or `;name=value`, may follow it.
    private static func chunkSize(_ line: Span<UInt8>) -> Int? {
        var size = 0
        var index = 0
        while index < line.count, let digit = hexadecimalValue(line[index]) {
            size = size << 4 | digit
            index += 1
            guard size <= maximumBodyBytes else { return nil }
        }
        guard index > 0 else { return nil }
        while index < line.count {
            guard line[index] == UInt8(ascii: ";"), skipToken(line, &index) else { return nil }
            if index < line.count, line[index] == UInt8(ascii: "="), !skipToken(line, &index) { return nil }
        }
        return size
    }

    /// Moves the index over a separator and the token behind it; tells whether there is one.
    private static func skipToken(_ line: Span<UInt8>, _ index: inout Int) -> Bool {
        index += 1
        let start = index
        while index < line.count, AnswerHead.isOfToken(line[index]) { index += 1 }
        return index > start
    }

    private static func hexadecimalValue(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
