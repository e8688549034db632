// SPDX-License-Identifier: Apache-2.0

/// A response line that is read again: its text, and how the service's record of its message is known.
struct SentLine {
    /// What there is to be found out about a line's message.
    enum Kind {
        /// It was sent, or may have been.
        case sent(RecordSearch)
        /// It was sent, or may have been, but the line does not say how to find it.
        case unsearchable
        /// It was never sent.
        case unsent
        /// It was not to be sent.
        case planned
        /// The line is no response line.
        case foreign
    }

    /// The line's number in the input, from 1.
    let number: UInt64
    /// What there is to be found out.
    let kind: Kind
    /// Whether the line leaves open whether its message was sent.
    let isUnknown: Bool
    /// What an earlier run has found out for good; `nil` for nothing, or for a receipt that was still awaited.
    let finalStatus: SendDetails.Status?
    /// How many bytes it had in the input.
    let inputByteCount: Int
    /// The line; of one that is no object, the beginning of what stands for it.
    private let bytes: [UInt8]
    private let isObject: Bool

    /// Reads a line.
    ///
    /// - Parameters:
    ///   - message: The line as ``PlainLineParser`` has left it.
    ///   - chunk: Holds its bytes.
    init(_ message: Message, of chunk: borrowing Chunk) {
        number = message.line
        inputByteCount = Int(message.echo.count)
        do throws(MessageFault) {
            if let fault = message.fault { throw chunk.faults[Int(fault)] }
            var line: [UInt8] = []
            chunk.append(message.echo, to: &line)
            let members = try SentMembers(line.span)
            bytes = line
            isObject = true
            kind = members.kind
            isUnknown = members.outcome == .unknown
            finalStatus = members.finalStatus
        } catch {
            var beginning: [UInt8] = []
            ResponseLine(echoes: true).appendNumber(message, from: chunk, to: &beginning)
            beginning.append(contentsOf: ",\"Code\":".utf8)
            JSONText.appendString(error.code, to: &beginning)
            beginning.append(contentsOf: ",\"Message\":".utf8)
            JSONText.appendString(error.message, to: &beginning)
            bytes = beginning
            isObject = false
            kind = .foreign
            isUnknown = false
            finalStatus = nil
        }
    }

    /// The members that the line gets.
    private static let memberNames = ["SendStatus", "ErrCode", "ReceiveDate"]

    /// Appends the line with what became of its message.
    ///
    /// All else stays as it is, byte for byte, but for what a line says of its message's outcome that is known now. What an
    /// earlier run has found is replaced by what this one has, and stays where this one has found nothing. It stands behind the
    /// outcome; what stands before it came with the message, which was another one's then, and goes.
    ///
    /// - Parameters:
    ///   - record: The service's record of the message; `nil` where none was found.
    ///   - isFound: Whether the record shows that a message was taken of which that was open.
    ///   - buffer: Receives the line.
    func append(_ record: SendDetails.Record?, isFound: Bool, to buffer: inout [UInt8]) {
        var (hasMembers, missing) = appendBeginning(isFound: isFound, keepsStatus: record == nil, to: &buffer)
        let values = [record.map { ($0.status ?? .waiting).name }, record?.errorCode, record?.receiveDate]
        for (index, name) in Self.memberNames.enumerated() where missing.contains(name) {
            if hasMembers { buffer.append(UInt8(ascii: ",")) }
            hasMembers = true
            JSONText.appendString(name as String, to: &buffer)
            buffer.append(UInt8(ascii: ":"))
            JSONText.appendString(values[index], to: &buffer)
        }
        buffer.append(contentsOf: "}\n".utf8)
    }

    /// Appends the members that the line had.
    ///
    /// - Returns: Whether there are any, and which of those that the line gets are not among them.
    private func appendBeginning(
        isFound: Bool,
        keepsStatus: Bool,
        to buffer: inout [UInt8],
    ) -> (hasMembers: Bool, missing: Set<String>) {
        var missing = Set(Self.memberNames)
        var members: [JSONMember] = []
        guard isObject, let brace = try? JSONScanner.scanObject(bytes.span, in: 0..<bytes.count, into: &members) else {
            buffer.append(contentsOf: bytes)
            return (true, missing)
        }
        let outcome = members.lastIndex { SentMembers.name(of: $0, bytes.span) == "Outcome" } ?? -1
        buffer.append(UInt8(ascii: "{"))
        var hasMembers = false
        var from = brace + 1
        for (index, member) in members.enumerated() {
            // Blanks before a comma belong to the member before it.
            var end = member.value.upperBound
            if index < members.count - 1 {
                while bytes[end] != UInt8(ascii: ",") { end += 1 }
            }
            let name = SentMembers.name(of: member, bytes.span)
            if keepsStatus && index > outcome || !Self.memberNames.contains(name) {
                missing.remove(name)
                if hasMembers { buffer.append(UInt8(ascii: ",")) }
                hasMembers = true
                if isFound, let value = Self.foundValue(of: name) {
                    buffer.append(copying: bytes.span, from..<member.value.lowerBound)
                    JSONText.appendString(value as String, to: &buffer)
                    buffer.append(copying: bytes.span, member.value.upperBound..<end)
                } else {
                    buffer.append(copying: bytes.span, from..<end)
                }
            }
            from = end + 1
        }
        return (hasMembers, missing)
    }

    /// What a member says once a message was found of which it was open whether it was sent.
    private static func foundValue(of name: String) -> String? {
        switch name {
        case "Outcome": Outcome.accepted.rawValue
        case "Code": "OK"
        case "Message": "Found by look-up."
        default: nil
        }
    }
}

/// How the service's record of one message is known among those of its number.
struct RecordSearch {
    /// The number to ask for, without a prefix.
    let phoneNumber: [UInt8]
    /// The day on which it was sent, by the clock of who sent it.
    let sendDate: SendDate
    /// The receipt id; `nil` where there is none.
    let bizID: String?
    /// The text that travelled as OutId; `nil` where the line does not say.
    let outID: String?
    /// Whether that text is the message's own, so that others may have it too.
    let isOwnOutID: Bool
    /// The code of the template; `nil` where the line does not say.
    let templateCode: String?

    /// Whether a record that fits is that of the message: with a BizId, or a BatchId, a number stands once.
    var isCertain: Bool { bizID != nil || !isOwnOutID }

    /// Whether a record can be that of the message.
    func fits(_ record: SendDetails.Record) -> Bool {
        if let templateCode, record.templateCode != templateCode { return false }
        // Whatever was asked for: a record that names another number is another message's.
        let text = Array(record.phoneNumber.utf8)
        let number = PhoneNumber(text.span, 0..<text.count)
        if let number, !String(number.key).utf8.elementsEqual(phoneNumber) { return false }
        // By BizId the service has chosen already.
        guard let outID, let recorded = record.outID else { return bizID != nil }
        // By bytes: texts that only look alike may be those of two requests.
        return recorded.utf8.elementsEqual(outID.utf8)
    }
}

/// The members of a response line that say what was sent.
private struct SentMembers {
    private(set) var outcome: Outcome?
    private var phoneNumber: PhoneNumber?
    private var sendDate: SendDate?
    private var bizID: String?
    private var ownOutID: String?
    private var batchID: String?
    private var templateCode: String?
    private(set) var finalStatus: SendDetails.Status?

    init(_ line: Span<UInt8>) throws(MessageFault) {
        var members: [JSONMember] = []
        do throws(JSONError) {
            try JSONScanner.scanObject(line, in: 0..<line.count, into: &members)
        } catch {
            throw .invalidJSON(error)
        }
        for member in members {
            guard let text = Self.text(of: member, line), !text.isEmpty else { continue }
            switch Self.name(of: member, line) {
            case "Outcome":
                outcome = Outcome(rawValue: text)
                finalStatus = nil
            case "PhoneNumber": phoneNumber = Self.phoneNumber(text)
            case "SendDate": sendDate = SendDate(text: text)
            case "BizId": bizID = text
            case "OutId": ownOutID = text
            case "BatchId": batchID = text
            case "TemplateCode": templateCode = text
            case "SendStatus" where outcome != nil: finalStatus = [.delivered, .failed].first { $0.name == text }
            default: break
            }
        }
    }

    var kind: SentLine.Kind {
        switch outcome {
        case nil: return .foreign
        case .rejected, .invalid, .skipped: return .unsent
        case .planned: return .planned
        case .accepted, .unknown: break
        }
        guard let phoneNumber, let sendDate, bizID != nil || ownOutID != nil || batchID != nil else {
            return .unsearchable
        }
        return .sent(
            RecordSearch(
                phoneNumber: Array(String(phoneNumber.key).utf8),
                sendDate: sendDate,
                bizID: bizID,
                outID: ownOutID ?? batchID,
                isOwnOutID: ownOutID != nil,
                templateCode: templateCode,
            )
        )
    }

    static func name(of member: JSONMember, _ line: Span<UInt8>) -> String {
        decoded(member.name, line)
    }

    /// The text of a string or a number; `nil` for any other kind.
    private static func text(of member: JSONMember, _ line: Span<UInt8>) -> String? {
        switch member.kind {
        case .string: decoded((member.value.lowerBound + 1)..<(member.value.upperBound - 1), line)
        case .number: decoded(member.value, line)
        case .object, .array, .true, .false, .null: nil
        }
    }

    private static func decoded(_ range: Range<Int>, _ line: Span<UInt8>) -> String {
        var text: [UInt8] = []
        JSONText.appendDecoded(line, range, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static func phoneNumber(_ text: String) -> PhoneNumber? {
        let bytes = Array(text.utf8)
        return PhoneNumber(bytes.span, 0..<bytes.count)
    }
}

extension SendDetails.Status {
    /// What a line says of it.
    fileprivate var name: String {
        switch self {
        case .waiting: "waiting"
        case .failed: "failed"
        case .delivered: "delivered"
        }
    }
}
