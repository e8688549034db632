// SPDX-License-Identifier: Apache-2.0

extension JournalEntry {
    /// What stands before the checksum at the end of each record.
    static let checksumName = Array(",\"Crc\":\"".utf8)
    /// How a head begins; kept in one place, because the beginning of a torn one is recognised by it.
    package static let headStart = Array("{\"Type\":\"head\",".utf8)

    /// Appends the record as a line, with its checksum and its line break.
    package func append(to text: inout [UInt8]) {
        let start = text.count
        text.append(copying: "{\"Type\":\"")
        text.append(copying: record.type)
        text.append(copying: "\",\"Time\":")
        text.append(decimal: UInt64(time / 1000))
        text.append(copying: ".")
        for unit in [100, 10, 1] { text.append(UInt8(ascii: "0") + UInt8(time / Int64(unit) % 10)) }
        text.append(copying: ",\"Synced\":")
        text.append(decimal: UInt64(synced))
        record.appendMembers(to: &text)
        let checksum = Checksum.of(text.span, start..<text.count)
        text.append(copying: ",\"Crc\":\"")
        JournalRecord.appendHexadecimal(UInt64(checksum), digits: 8, to: &text)
        text.append(copying: "\"}\n")
    }
}

extension JournalRecord {
    var type: StaticString {
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
            text.append(copying: ",\"Version\":")
            text.append(decimal: UInt64(head.version))
            text.append(copying: ",\"Salt\":\"")
            for byte in head.salt { Self.appendHexadecimal(UInt64(byte), digits: 2, to: &text) }
            text.append(copying: "\",\"AccessKey\":")
            JSONText.appendString(head.accessKey, to: &text)
            text.append(copying: ",\"Endpoint\":")
            JSONText.appendString(head.endpoint, to: &text)
        case .intent(let batchID, let sendDate, let messages):
            text.append(copying: ",\"BatchId\":")
            JSONText.appendString(batchID, to: &text)
            text.append(copying: ",\"SendDate\":\"")
            text.append(decimal: UInt64(sendDate))
            text.append(copying: "\",\"Lines\":")
            Self.append(linesOf: messages, to: &text)
            text.append(copying: ",\"Messages\":\"")
            Self.append(Base64URL.keyDigitCount, of: messages, to: &text) { Base64URL.digits(of: $0.key) }
            if messages.contains(where: \.hasID) {
                text.append(copying: "\",\"Contents\":\"")
                Self.append(Base64URL.contentDigitCount, of: messages, to: &text) {
                    Base64URL.digits(ofContent: $0.content)
                }
            }
            text.append(copying: "\"")
        case .result(let response, let count):
            text.append(copying: ",\"Count\":")
            text.append(decimal: UInt64(count))
            text.append(copying: ",")
            response.appendMembers(to: &text)
        case .withdrawal(let batchID):
            text.append(copying: ",\"BatchId\":")
            JSONText.appendString(batchID, to: &text)
        }
    }

    /// Appends the number of the first line, and how many lines further on each of the others stands.
    private static func append(linesOf messages: [Message], to text: inout [UInt8]) {
        var last: UInt64 = 0
        var mark: UInt8 = UInt8(ascii: "[")
        // A mark, a sign and twenty digits at most.
        text.append(addingCapacity: messages.count &* 22) { text in
            for message in messages {
                text.append(mark)
                let isBack = message.line < last
                if isBack { text.append(UInt8(ascii: "-")) }
                append(decimal: isBack ? last &- message.line : message.line &- last, to: &text)
                last = message.line
                mark = UInt8(ascii: ",")
            }
        }
        text.append(copying: "]")
    }

    private static func append(decimal number: UInt64, to text: inout OutputSpan<UInt8>) {
        if number >= 10 { append(decimal: number / 10, to: &text) }
        text.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number % 10))
    }

    /// Appends the first digits of what each message has sixteen for.
    @inline(__always)
    private static func append(
        _ digitCount: Int,
        of messages: [Message],
        to text: inout [UInt8],
        digits: (Message) -> SIMD16<UInt8>,
    ) {
        var position = text.count
        // The last sixteen may reach beyond the last digit.
        text.append(contentsOf: repeatElement(0, count: messages.count &* digitCount &+ 16))
        var span = text.mutableSpan
        // A store is checked to lie within the span, and any bytes are digits or not.
        var bytes = unsafe span.mutableBytes
        for message in messages {
            bytes.storeBytes(of: digits(message), toByteOffset: position, as: SIMD16<UInt8>.self)
            position &+= digitCount
        }
        text.removeLast(16)
    }

    static func appendHexadecimal(_ value: UInt64, digits: Int, to text: inout [UInt8]) {
        for digit in stride(from: digits - 1, through: 0, by: -1) {
            text.append(JSONText.hexadecimalDigit(UInt8(truncatingIfNeeded: value >> UInt64(4 * digit) & 0xF)))
        }
    }
}
