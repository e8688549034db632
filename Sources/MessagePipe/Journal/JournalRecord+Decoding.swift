// SPDX-License-Identifier: Apache-2.0

/// Why a line of the journal is no record.
struct JournalRecordError: Error, Equatable {
    let reason: String
}

extension JournalEntry {
    /// Reads a record from its line.
    ///
    /// - Parameters:
    ///   - bytes: Holds the line.
    ///   - line: Where it stands, without its line break.
    ///   - members: Storage that is used again.
    /// - Throws: ``JournalRecordError`` if the checksum is not that of the line, or the line is no record known here.
    init(
        _ bytes: borrowing Span<UInt8>,
        _ line: Range<Int>,
        members: inout [JSONMember],
    ) throws(JournalRecordError) {
        try Self.verify(bytes, line)
        do throws(JSONError) {
            try JSONScanner.scanObject(bytes, in: line, into: &members)
        } catch {
            throw JournalRecordError(reason: "it is no JSON object: at \(error)")
        }
        let found = RecordMembers(members: members)
        record = try Self.record(bytes, found)
        time = try found.milliseconds("Time", bytes)
        synced = Int(truncatingIfNeeded: try found.number("Synced", bytes))
    }

    private static func verify(_ bytes: borrowing Span<UInt8>, _ line: Range<Int>) throws(JournalRecordError) {
        let tailCount = checksumName.count + 8 + 2
        guard line.count > tailCount, bytes[line.upperBound - 1] == UInt8(ascii: "}") else {
            throw JournalRecordError(reason: "it has no checksum at its end")
        }
        let end = line.upperBound - tailCount
        for (offset, byte) in checksumName.enumerated() where bytes[end + offset] != byte {
            throw JournalRecordError(reason: "it has no checksum at its end")
        }
        let checksum = UInt64(Checksum.of(bytes, line.lowerBound..<end))
        var text: [UInt8] = []
        JournalRecord.appendHexadecimal(checksum, digits: 8, to: &text)
        text.append(UInt8(ascii: "\""))
        for (offset, byte) in text.enumerated() where bytes[end + checksumName.count + offset] != byte {
            throw JournalRecordError(reason: "its checksum does not fit")
        }
    }

    private static func record(
        _ bytes: borrowing Span<UInt8>,
        _ members: RecordMembers,
    ) throws(JournalRecordError) -> JournalRecord {
        let type = try members.text("Type", bytes)
        switch type {
        case "head":
            let version = Int(truncatingIfNeeded: try members.number("Version", bytes))
            // Only the version can be read of what another version has written.
            guard version == JournalHead.currentVersion else {
                return .head(JournalHead(version: version, salt: [], accessKey: nil, endpoint: ""))
            }
            guard let salt = JournalRecord.salt(try members.text("Salt", bytes)) else {
                throw JournalRecordError(reason: "its Salt is not 32 hexadecimal digits")
            }
            return .head(
                JournalHead(
                    version: version,
                    salt: salt,
                    accessKey: try members.optionalText("AccessKey", bytes),
                    endpoint: try members.text("Endpoint", bytes),
                )
            )
        case "intent":
            return .intent(
                batchID: try members.text("BatchId", bytes),
                sendDate: try members.date("SendDate", bytes) ?? 0,
                messages: try members.messages(bytes),
            )
        case "result":
            guard let outcome = Outcome(rawValue: try members.text("Outcome", bytes)) else {
                throw JournalRecordError(reason: "its Outcome is none known here")
            }
            let response = Response(
                outcome,
                code: try members.text("Code", bytes),
                message: try members.text("Message", bytes),
                bizID: try members.optionalText("BizId", bytes),
                requestID: try members.optionalText("RequestId", bytes),
                batchID: try members.text("BatchId", bytes),
                sendDate: try members.date("SendDate", bytes) ?? 0,
            )
            return .result(response, count: Int(truncatingIfNeeded: try members.number("Count", bytes)))
        case "withdrawal":
            return .withdrawal(batchID: try members.text("BatchId", bytes))
        default:
            throw JournalRecordError(reason: "its Type is none known here")
        }
    }
}

/// The members of a record by their names.
private struct RecordMembers {
    let members: [JSONMember]

    func text(_ name: StaticString, _ bytes: borrowing Span<UInt8>) throws(JournalRecordError) -> String {
        guard let text = try optionalText(name, bytes) else { throw Self.unfit(name) }
        return text
    }

    func optionalText(_ name: StaticString, _ bytes: borrowing Span<UInt8>) throws(JournalRecordError) -> String? {
        let member = try member(name, bytes)
        switch member.kind {
        case .null: return nil
        case .string: return String(decoding: JSONText.decodeString(copy bytes, member.value), as: UTF8.self)
        default: throw Self.unfit(name)
        }
    }

    func number(_ name: StaticString, _ bytes: borrowing Span<UInt8>) throws(JournalRecordError) -> UInt64 {
        guard let number = Self.digits(bytes, try member(name, bytes).value) else { throw Self.unfit(name) }
        return number
    }

    /// A day as `yyyyMMdd`.
    func date(_ name: StaticString, _ bytes: borrowing Span<UInt8>) throws(JournalRecordError) -> UInt32? {
        let member = try member(name, bytes)
        if member.kind == .null { return nil }
        let inside = (member.value.lowerBound + 1)..<max(member.value.lowerBound + 1, member.value.upperBound - 1)
        guard member.kind == .string, let day = Self.digits(bytes, inside), day <= 9999_99_99 else {
            throw Self.unfit(name)
        }
        return UInt32(day)
    }

    /// Seconds with three decimals, as milliseconds.
    func milliseconds(_ name: StaticString, _ bytes: borrowing Span<UInt8>) throws(JournalRecordError) -> Int64 {
        let value = try member(name, bytes).value
        let point = value.upperBound - 4
        guard point > value.lowerBound, bytes[point] == UInt8(ascii: "."),
            let seconds = Self.digits(bytes, value.lowerBound..<point), seconds < 1 << 50,
            let thousandths = Self.digits(bytes, (point + 1)..<value.upperBound)
        else { throw Self.unfit(name) }
        return Int64(seconds * 1000 + thousandths)
    }

    func messages(_ bytes: borrowing Span<UInt8>) throws(JournalRecordError) -> [JournalRecord.Message] {
        let lines = try elements("Lines", bytes)
        let keys = try digits("Messages", bytes, lines.count * Base64URL.keyDigitCount)
        let contents =
            find("Contents", bytes) == nil
            ? nil : try digits("Contents", bytes, lines.count * Base64URL.contentDigitCount)
        var messages: [JournalRecord.Message] = []
        messages.reserveCapacity(lines.count)
        var number: UInt64 = 0
        for (index, line) in lines.enumerated() {
            let isBack = bytes[line.value.lowerBound] == UInt8(ascii: "-")
            guard let step = Self.digits(bytes, (line.value.lowerBound + (isBack ? 1 : 0))..<line.value.upperBound)
            else { throw Self.unfit("Lines") }
            number = isBack ? number &- step : number &+ step
            guard let key = Base64URL.key(bytes, at: keys + index * Base64URL.keyDigitCount) else {
                throw Self.unfit("Messages")
            }
            var message = JournalRecord.Message(key: key, line: number)
            if let contents {
                let start = contents + index * Base64URL.contentDigitCount
                guard let content = Base64URL.number(bytes, start..<(start + Base64URL.contentDigitCount)) else {
                    throw Self.unfit("Contents")
                }
                message.content = content
            }
            messages.append(message)
        }
        return messages
    }

    /// Where the digits of a string begin, of which there have to be so many.
    private func digits(
        _ name: StaticString,
        _ bytes: borrowing Span<UInt8>,
        _ count: Int,
    ) throws(JournalRecordError) -> Int {
        let member = try member(name, bytes)
        guard member.kind == .string, member.value.count == count + 2 else { throw Self.unfit(name) }
        return member.value.lowerBound + 1
    }

    private func elements(
        _ name: StaticString,
        _ bytes: borrowing Span<UInt8>,
    ) throws(JournalRecordError) -> [JSONMember] {
        let range = try member(name, bytes).value
        do throws(JSONError) {
            return try JSONScanner.elements(of: copy bytes, in: range)
        } catch {
            throw Self.unfit(name)
        }
    }

    private func member(_ name: StaticString, _ bytes: borrowing Span<UInt8>) throws(JournalRecordError) -> JSONMember {
        guard let member = find(name, bytes) else { throw JournalRecordError(reason: "it has no \(name)") }
        return member
    }

    private func find(_ name: StaticString, _ bytes: borrowing Span<UInt8>) -> JSONMember? {
        for member in members
        where member.name.count == name.utf8CodeUnitCount && bytes.equals(name, at: member.name.lowerBound) {
            return member
        }
        return nil
    }

    private static func digits(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty, range.count <= 18 else { return nil }
        var number: UInt64 = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + UInt64(digit)
        }
        return number
    }

    private static func unfit(_ name: StaticString) -> JournalRecordError {
        JournalRecordError(reason: "its \(name) is not what it must be")
    }
}

extension JournalRecord {
    /// The value of at most 16 hexadecimal digits.
    static func hexadecimal(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        for index in range {
            guard let digit = JSONText.hexadecimalValue(bytes[index]) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    fileprivate static func salt(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 2 * KeyedDigest.keyByteCount else { return nil }
        var salt: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = hexadecimal(digits.span, index..<(index + 2)) else { return nil }
            salt.append(UInt8(byte))
        }
        return salt
    }
}
