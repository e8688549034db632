// SPDX-License-Identifier: Apache-2.0

extension JournalEntry {
    /// What stands before the checksum at the end of each record.
    static let checksumName = Array(",\"Crc\":\"".utf8)
    /// How a head begins; kept in one place, because the beginning of a torn one is recognised by it.
    package static let headStart = Array("{\"Type\":\"head\",".utf8)

    /// Appends the record as a line, with its checksum and its line break.
    package func append(to text: inout [UInt8]) {
        let start = text.count
        text.append(contentsOf: "{\"Type\":\"\(record.type)\",\"Time\":".utf8)
        text.append(contentsOf: String(time / 1000).utf8)
        let milliseconds = String(time % 1000)
        text.append(contentsOf: ".\(String(repeating: "0", count: 3 - milliseconds.count))\(milliseconds)".utf8)
        text.append(contentsOf: ",\"Synced\":\(synced)".utf8)
        record.appendMembers(to: &text)
        let checksum = Checksum.of(text.span, start..<text.count)
        text.append(contentsOf: Self.checksumName)
        JournalRecord.appendHexadecimal(UInt64(checksum), digits: 8, to: &text)
        text.append(contentsOf: "\"}\n".utf8)
    }
}

extension JournalRecord {
    var type: String {
        switch self {
        case .head: "head"
        case .intent: "intent"
        case .result: "result"
        case .withdrawal: "withdrawal"
        }
    }

    fileprivate func appendMembers(to text: inout [UInt8]) {
        switch self {
        case .head(let head):
            text.append(contentsOf: ",\"Version\":\(head.version),\"Salt\":\"".utf8)
            for byte in head.salt { Self.appendHexadecimal(UInt64(byte), digits: 2, to: &text) }
            text.append(contentsOf: "\",\"AccessKey\":".utf8)
            JSONText.appendString(head.accessKey, to: &text)
            text.append(contentsOf: ",\"Endpoint\":".utf8)
            JSONText.appendString(head.endpoint, to: &text)
        case .intent(let batchID, let sendDate, let messages):
            text.append(contentsOf: ",\"BatchId\":".utf8)
            JSONText.appendString(batchID, to: &text)
            text.append(contentsOf: ",\"SendDate\":\"\(sendDate)\",\"Lines\":".utf8)
            Self.append(linesOf: messages, to: &text)
            text.append(contentsOf: ",\"Messages\":".utf8)
            Self.append(digestsOf: messages, to: &text)
        case .result(let response, let count):
            text.append(contentsOf: ",\"Count\":\(count),".utf8)
            response.appendMembers(to: &text)
        case .withdrawal(let batchID):
            text.append(contentsOf: ",\"BatchId\":".utf8)
            JSONText.appendString(batchID, to: &text)
        }
    }

    private static func append(linesOf messages: [Message], to text: inout [UInt8]) {
        // A comma, and as many digits as a number can have.
        fill(&text, atMost: messages.count * 21 + 1) { bytes, end in
            var mark = UInt8(ascii: "[")
            for message in messages {
                var line = message.line
                var digitCount = 1
                var limit: UInt64 = 10
                while line >= limit, digitCount < 20 {
                    digitCount &+= 1
                    limit &*= 10
                }
                bytes[end] = mark
                for position in stride(from: end &+ digitCount, to: end, by: -1) {
                    bytes[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: line % 10)
                    line /= 10
                }
                end &+= digitCount &+ 1
                mark = UInt8(ascii: ",")
            }
            bytes[end] = UInt8(ascii: "]")
            end += 1
        }
    }

    private static func append(digestsOf messages: [Message], to text: inout [UInt8]) {
        // A comma, quotes and a dash about three halves of digests.
        fill(&text, atMost: messages.count * 52 + 1) { bytes, end in
            var mark = UInt8(ascii: "[")
            for message in messages {
                bytes[end] = mark
                bytes[end &+ 1] = UInt8(ascii: "\"")
                write(hexadecimal: message.key.high, to: &bytes, at: end &+ 2)
                write(hexadecimal: message.key.low, to: &bytes, at: end &+ 18)
                end &+= 34
                if let content = message.content {
                    bytes[end] = UInt8(ascii: "-")
                    write(hexadecimal: content, to: &bytes, at: end &+ 1)
                    end &+= 17
                }
                bytes[end] = UInt8(ascii: "\"")
                end &+= 1
                mark = UInt8(ascii: ",")
            }
            bytes[end] = UInt8(ascii: "]")
            end += 1
        }
    }

    /// Appends what a function writes into new space: it is given the text and its end, and moves that.
    private static func fill(
        _ text: inout [UInt8],
        atMost maximum: Int,
        _ write: (inout MutableSpan<UInt8>, inout Int) -> Void,
    ) {
        var end = text.count
        text.append(contentsOf: repeatElement(0, count: maximum))
        var bytes = text.mutableSpan
        write(&bytes, &end)
        text.removeLast(text.count - end)
    }

    /// Writes sixteen digits, eight at a time: each half byte of a word becomes a byte of its own, and that a digit.
    private static func write(hexadecimal value: UInt64, to bytes: inout MutableSpan<UInt8>, at position: Int) {
        for half in 0..<2 {
            var digits = half == 0 ? value &>> 32 : value & 0xFFFF_FFFF
            digits = (digits &<< 16 | digits) & 0x0000_FFFF_0000_FFFF
            digits = (digits &<< 8 | digits) & 0x00FF_00FF_00FF_00FF
            digits = (digits &<< 4 | digits) & 0x0F0F_0F0F_0F0F_0F0F
            let letters = (digits &+ 0x0606_0606_0606_0606) &>> 4 & 0x0101_0101_0101_0101
            digits = digits &+ 0x3030_3030_3030_3030 &+ letters &* (UInt64(UInt8(ascii: "a")) &- 0x3A)
            for index in 0..<8 {
                bytes[position &+ half &* 8 &+ index] = UInt8(truncatingIfNeeded: digits &>> UInt64(56 &- 8 &* index))
            }
        }
    }

    static func appendHexadecimal(_ digest: Digest128, to text: inout [UInt8]) {
        appendHexadecimal(digest.high, digits: 16, to: &text)
        appendHexadecimal(digest.low, digits: 16, to: &text)
    }

    static func appendHexadecimal(_ value: UInt64, digits: Int, to text: inout [UInt8]) {
        for digit in stride(from: digits - 1, through: 0, by: -1) {
            text.append(JSONText.hexadecimalDigit(UInt8(truncatingIfNeeded: value >> UInt64(4 * digit) & 0xF)))
        }
    }
}
