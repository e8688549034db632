// SPDX-License-Identifier: Apache-2.0

/// The head of an answer, as far as it tells where the answer ends.
///
/// Source: RFC 9112, sections 4 to 6 and 9.3.
package struct AnswerHead {
    /// What ends the body.
    enum Framing {
        /// Its length in bytes.
        case length(Int)
        /// Its last chunk.
        case chunks
        /// The connection's end.
        case end
    }

    /// The status code.
    let status: Int
    /// What ends the body; `nil` where fields contradict each other.
    let framing: Framing?
    /// Whether the server keeps the connection open.
    let isKeptAlive: Bool
    /// The wait that `x-acs-retry-after` asks for; `nil` where it is not there or no number.
    let retryAfterMilliseconds: Int?

    /// Reads a head with the empty line at its end; `nil` if it is none.
    init?(_ bytes: Span<UInt8>) {
        guard let (version, status) = Self.statusLine(bytes) else { return nil }
        var contentLength: Int?
        var isChunked = false
        var hasContradiction = false
        var isKeptAlive = version == 1
        var retryAfter: Int??
        let isWellFormed = Self.forEachField(of: bytes) { name, value in
            switch name.count {
            case 14 where Self.equals(bytes, name, "content-length"):
                let length = Self.number(bytes, value)
                if length == nil || contentLength != nil { hasContradiction = true }
                contentLength = length
            case 17 where Self.equals(bytes, name, "transfer-encoding"):
                if isChunked || !Self.equals(bytes, value, "chunked") { hasContradiction = true }
                isChunked = true
            case 17 where retryAfter == nil && Self.equals(bytes, name, "x-acs-retry-after"):
                retryAfter = .some(Self.number(bytes, value))
            case 10 where Self.equals(bytes, name, "connection"):
                Self.forEachElement(of: bytes, value) { option in
                    if Self.equals(bytes, option, "close") { isKeptAlive = false }
                    if version == 0, Self.equals(bytes, option, "keep-alive") { isKeptAlive = true }
                }
            default:
                break
            }
        }
        guard isWellFormed else { return nil }
        self.status = status
        self.isKeptAlive = isKeptAlive
        retryAfterMilliseconds = retryAfter ?? nil
        if hasContradiction || isChunked && (contentLength != nil || version == 0) {
            framing = nil
        } else if status < 200 || status == 204 || status == 304 {
            framing = .length(0)
        } else if isChunked {
            framing = .chunks
        } else {
            framing = contentLength.map { .length($0) } ?? .end
        }
    }

    /// The value of the first field with a name.
    ///
    /// - Parameters:
    ///   - name: The name in lower case.
    ///   - bytes: A head that could be read.
    /// - Returns: The value without blanks around it; `nil` if there is no such field.
    package static func value(of name: StaticString, in bytes: Span<UInt8>) -> String? {
        var found: Range<Int>?
        _ = forEachField(of: bytes) { fieldName, value in
            if found == nil, equals(bytes, fieldName, name) { found = value }
        }
        return found.map { range in String(decoding: range.map { bytes[$0] }, as: UTF8.self) }
    }

    /// The minor version and the status of `HTTP/1.x ddd reason`.
    private static func statusLine(_ bytes: Span<UInt8>) -> (version: Int, status: Int)? {
        guard bytes.count > 13, equals(bytes, 0..<7, "HTTP/1.", ignoringCase: false),
            let version = number(bytes, 7..<8), version <= 1, bytes[8] == UInt8(ascii: " "),
            let status = number(bytes, 9..<12), status >= 100,
            bytes[12] == UInt8(ascii: " ") || bytes[12] == UInt8(ascii: "\r")
        else { return nil }
        return (version, status)
    }

    /// Calls a function with the name and the value of each field.
    ///
    /// - Returns: Whether every line, the status line included, is well-formed.
    private static func forEachField(of bytes: Span<UInt8>, _ body: (Range<Int>, Range<Int>) -> Void) -> Bool {
        var start = 0
        while let end = lineEnd(bytes, from: start) {
            if end == start { return start > 0 && end + 2 == bytes.count }
            if start > 0 {
                guard let colon = nameEnd(bytes, start..<end) else { return false }
                body(start..<colon, trimmed(bytes, (colon + 1)..<end))
            }
            start = end + 2
        }
        return false
    }

    /// Where the line break is that ends a line; `nil` if there is none or the line holds a control character.
    private static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < bytes.count, !isControl(bytes[index]) { index += 1 }
        guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\r"), bytes[index + 1] == UInt8(ascii: "\n") else {
            return nil
        }
        return index
    }

    /// Where the colon is that ends a field's name; `nil` if that is empty or no token.
    private static func nameEnd(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Int? {
        var index = line.lowerBound
        while index < line.upperBound, isOfToken(bytes[index]) { index += 1 }
        guard index < line.upperBound, bytes[index] == UInt8(ascii: ":") else { return nil }
        return index > line.lowerBound ? index : nil
    }

    /// Whether a line without its line break is a field.
    static func isField(_ line: Span<UInt8>) -> Bool {
        nameEnd(line, 0..<line.count) != nil && !line.indices.contains { isControl(line[$0]) }
    }

    /// Whether a byte may not stand in a line; a tab may.
    private static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != UInt8(ascii: "\t") || byte == 0x7F
    }

    /// Whether a byte may stand in a name.
    ///
    /// Source: RFC 9110, section 5.6.2.
    static func isOfToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^")...UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    /// Calls a function with each element of a list that commas separate.
    private static func forEachElement(of bytes: Span<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        for index in range where bytes[index] == UInt8(ascii: ",") {
            body(trimmed(bytes, start..<index))
            start = index + 1
        }
        body(trimmed(bytes, start..<range.upperBound))
    }

    /// Whether a part is a text, in lower case where upper-case letters count as the same.
    private static func equals(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ text: StaticString,
        ignoringCase: Bool = true,
    ) -> Bool {
        let text = unsafe Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount)
        guard range.count == text.count else { return false }
        for index in text.indices {
            let byte = bytes[range.lowerBound + index]
            let isFolded = ignoringCase && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            guard (isFolded ? byte | 0x20 : byte) == text[index] else { return false }
        }
        return true
    }

    /// The number that digits make; `nil` for anything else and for more than a body can have.
    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard (1...18).contains(range.count) else { return nil }
        var number = 0
        for index in range {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) else { return nil }
            number = number * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        return number
    }
}
