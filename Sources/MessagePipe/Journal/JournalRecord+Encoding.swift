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
            text.append(contentsOf: ",\"SendDate\":\"\(sendDate)\",\"Lines\":[".utf8)
            for (index, message) in messages.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                text.append(contentsOf: String(message.line).utf8)
            }
            text.append(contentsOf: "],\"Messages\":[".utf8)
            for (index, message) in messages.enumerated() {
                text.append(contentsOf: index > 0 ? ",\"".utf8 : "\"".utf8)
                Self.appendHexadecimal(message.key, to: &text)
                if let content = message.content {
                    text.append(UInt8(ascii: "-"))
                    Self.appendHexadecimal(content, digits: 16, to: &text)
                }
                text.append(UInt8(ascii: "\""))
            }
            text.append(UInt8(ascii: "]"))
        case .result(let response, let count):
            text.append(contentsOf: ",\"Count\":\(count),".utf8)
            response.appendMembers(to: &text)
        case .withdrawal(let batchID):
            text.append(contentsOf: ",\"BatchId\":".utf8)
            JSONText.appendString(batchID, to: &text)
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
