// SPDX-License-Identifier: Apache-2.0

/// Turns lines into messages: checks each line wholly and finds the members that decide what is sent.
///
/// A line with a fault becomes a message that carries it. Nothing is copied unless its text must change: escapes in a member
/// of ours, `TemplateParam` given as a string or with numbers, and members of an earlier response that are dropped.
package struct MessageParser: Sendable {
    /// Values for messages that do not bring their own, and templates with a way of their own.
    package struct Defaults: Sendable {
        /// The sign name of messages without one.
        package var signName: String?
        /// The template code of messages without one.
        package var templateCode: String?
        /// Templates whose messages go at once, each alone.
        package var urgentTemplates: Set<String> = []

        /// Creates defaults; all may be absent.
        package init(signName: String? = nil, templateCode: String? = nil, urgentTemplates: Set<String> = []) {
            self.signName = signName
            self.templateCode = templateCode
            self.urgentTemplates = urgentTemplates
        }
    }

    private let maximumLineBytes: Int
    private let defaultSignName: [UInt8]
    private let defaultTemplateCode: [UInt8]
    private let urgentTemplates: [[UInt8]]
    /// Finds the messages' identities, with a journal.
    private var identifier: MessageIdentifier?
    private var scanner = LineScanner()
    /// Reused for every object of parameters that needs a second look.
    private var variables: [JSONMember] = []

    /// - Parameters:
    ///   - defaults: Values for members that a line leaves out.
    ///   - maximumLineBytes: The limit that the splitter applies, for its message.
    ///   - identifier: Finds the messages' identities; `nil` if nobody asks for them.
    package init(defaults: Defaults, maximumLineBytes: Int, identifier: MessageIdentifier? = nil) {
        self.maximumLineBytes = maximumLineBytes
        self.identifier = identifier
        var signName: [UInt8] = []
        if let name = defaults.signName, !name.isEmpty { JSONText.appendString(name, to: &signName) }
        defaultSignName = signName
        defaultTemplateCode = Array((defaults.templateCode ?? "").utf8)
        urgentTemplates = defaults.urgentTemplates.sorted().map { Array($0.utf8) }
    }

    /// Parses lines of a block.
    ///
    /// - Parameters:
    ///   - block: The splitter's lines.
    ///   - lines: Which of its lines to parse.
    ///   - storage: An empty chunk whose storage is used.
    /// - Returns: One message for each of these lines, and the bytes of these lines only.
    /// - Complexity: O(*n*) in the bytes of the lines.
    package mutating func parse(
        _ block: LineBlock,
        lines: Range<Int>,
        reusing storage: consuming Chunk = Chunk(),
    ) -> Chunk {
        // A part of a block must neither keep the whole alive nor count for it.
        let isWhole = lines == block.lines.indices
        let base = isWhole || lines.isEmpty ? 0 : block.lines[lines.lowerBound].bytes.start
        let end = lines.last.map { block.lines[$0].bytes.start + block.lines[$0].bytes.count } ?? 0
        var chunk = storage
        if isWhole {
            chunk.bytes = block.bytes
        } else {
            chunk.bytes.append(contentsOf: block.bytes[Int(base)..<Int(end)])
        }
        chunk.messages.reserveCapacity(lines.count)
        let bytes = chunk.bytes
        for index in lines {
            chunk.prefetchMessage()
            var line = block.lines[index]
            line.bytes.start -= base
            var message = Message(line: line.number)
            do throws(MessageFault) {
                guard !line.isTooLong else { throw .lineTooLong(maximum: maximumLineBytes) }
                try parse(bytes.span, line.bytes, into: &message, rewritten: &chunk.rewritten)
            } catch {
                message.fault = UInt32(chunk.faults.count)
                chunk.faults.append(error)
                if !message.traits.contains(.isObject) { message.echo = line.bytes }
            }
            chunk.messages.append(message)
        }
        identifier?.identify(&chunk)
        return chunk
    }

    // MARK: - One line

    private mutating func parse(
        _ bytes: borrowing Span<UInt8>,
        _ line: ByteRange,
        into message: inout Message,
        rewritten: inout [UInt8],
    ) throws(MessageFault) {
        let range = Int(line.start)..<Int(line.start + line.count)
        do throws(JSONError) {
            try scanner.scan(bytes, range)
        } catch {
            throw .invalidJSON(error)
        }
        let brace = range.lowerBound + scanner.found.braceOffset
        repeatMembers(bytes, brace: brace, in: &message, rewritten: &rewritten)
        if let id = scanner[.id] { try Self.takeID(id, in: &message) }
        if let name = scanner.found.duplicate { throw .duplicateMember(name) }
        try Self.takePhoneNumber(bytes, scanner[.phoneNumber], in: &message, rewritten: &rewritten)
        try takeSignName(bytes, scanner[.signName], in: &message, rewritten: &rewritten)
        try takeTemplateCode(bytes, scanner[.templateCode], in: &message, rewritten: &rewritten)
        try Self.takeExtensionCode(scanner[.extensionCode], in: &message)
        try Self.takeOutID(bytes, scanner[.outID], in: &message, rewritten: &rewritten)
        try takeTemplateParameters(bytes, scanner[.templateParameters], in: &message, rewritten: &rewritten)
        message.batchKeyHash = Self.batchKeyHash(bytes, message, rewritten)
    }

    /// Notes what the response line repeats; writes it anew only when members of an earlier response are to be dropped.
    private mutating func repeatMembers(
        _ bytes: borrowing Span<UInt8>,
        brace: Int,
        in message: inout Message,
        rewritten: inout [UInt8],
    ) {
        let responseMembers = scanner.found.responseMembers
        message.traits.insert(.isObject)
        guard let last = scanner.members.last else {
            message.echo = ByteRange(brace..<(brace + 1))
            return
        }
        if scanner.members.count > responseMembers { message.traits.insert(.hasMembers) }
        guard responseMembers > 0 else {
            message.echo = ByteRange(brace..<last.value.upperBound)
            return
        }
        let start = rewritten.count
        rewritten.append(UInt8(ascii: "{"))
        var from = brace + 1
        var isFirst = true
        for (index, member) in scanner.members.enumerated() {
            // Blanks before a comma belong to the member before it.
            var end = member.value.upperBound
            if index < scanner.members.count - 1 {
                while bytes[end] != UInt8(ascii: ",") { end += 1 }
            }
            if LineScanner.name(of: member, bytes)?.isOfResponse != true {
                if !isFirst { rewritten.append(UInt8(ascii: ",")) }
                isFirst = false
                rewritten.append(copying: bytes, from..<end)
            }
            from = end + 1
        }
        message.echo = Self.rewrittenRange(start, rewritten)
    }

    // MARK: - Members

    private static func takeID(_ member: JSONMember, in message: inout Message) throws(MessageFault) {
        guard member.kind == .string || member.kind == .number else {
            throw .wrongType("Id", expected: "a string or a number")
        }
        message.id = ByteRange(member.value)
    }

    private static func takePhoneNumber(
        _ bytes: borrowing Span<UInt8>,
        _ member: JSONMember?,
        in message: inout Message,
        rewritten: inout [UInt8],
    ) throws(MessageFault) {
        guard let member else { throw .phoneNumber("is missing") }
        let number: PhoneNumber?
        switch member.kind {
        case .number:
            message.phoneNumber = ByteRange(member.value)
            number = PhoneNumber(bytes, member.value)
        case .string:
            message.phoneNumber = Self.text(bytes, member, rewritten: &rewritten)
            guard !message.phoneNumber.isEmpty else { throw .phoneNumber("is empty") }
            number =
                member.hasEscapes
                ? PhoneNumber(rewritten.span, (rewritten.count - Int(message.phoneNumber.count))..<rewritten.count)
                : PhoneNumber(bytes, (member.value.lowerBound + 1)..<(member.value.upperBound - 1))
        default:
            throw .wrongType("PhoneNumber", expected: "a string, or a number of digits only")
        }
        guard let number else { throw .phoneNumber("is not a phone number") }
        message.phoneKey = number.key
        if number.isInternational { message.traits.insert(.isInternational) }
    }

    private mutating func takeSignName(
        _ bytes: borrowing Span<UInt8>,
        _ member: JSONMember?,
        in message: inout Message,
        rewritten: inout [UInt8],
    ) throws(MessageFault) {
        if let member {
            guard member.kind == .string else { throw .wrongType("SignName", expected: "a string") }
            if member.value.count > 2 {
                message.signName = ByteRange(member.value)
                return
            }
        }
        guard !defaultSignName.isEmpty else { throw .missingSignName }
        message.signName = Self.append(defaultSignName, to: &rewritten)
    }

    private mutating func takeTemplateCode(
        _ bytes: borrowing Span<UInt8>,
        _ member: JSONMember?,
        in message: inout Message,
        rewritten: inout [UInt8],
    ) throws(MessageFault) {
        if let member {
            guard member.kind == .string else { throw .wrongType("TemplateCode", expected: "a string") }
            message.templateCode = Self.text(bytes, member, rewritten: &rewritten)
        }
        if message.templateCode.isEmpty {
            guard !defaultTemplateCode.isEmpty else { throw .missingTemplateCode }
            message.templateCode = Self.append(defaultTemplateCode, to: &rewritten)
        }
        for template in urgentTemplates
        where Self.equal(bytes, rewritten, message.templateCode, template) {
            message.traits.insert(.isUrgent)
        }
    }

    private static func takeExtensionCode(_ member: JSONMember?, in message: inout Message) throws(MessageFault) {
        guard let member else { return }
        guard member.kind == .string else { throw .wrongType("SmsUpExtendCode", expected: "a string") }
        guard member.value.count > 2 else { return }
        message.extensionCode = ByteRange(member.value)
        message.traits.insert(.hasExtensionCode)
    }

    private static func takeOutID(
        _ bytes: borrowing Span<UInt8>,
        _ member: JSONMember?,
        in message: inout Message,
        rewritten: inout [UInt8],
    ) throws(MessageFault) {
        guard let member else { return }
        guard member.kind == .string else { throw .wrongType("OutId", expected: "a string") }
        message.outID = Self.text(bytes, member, rewritten: &rewritten)
        guard message.outID.count >= 256 else { return }
        let characters =
            member.hasEscapes
            ? Self.characterCount(rewritten.span, (rewritten.count - Int(message.outID.count))..<rewritten.count)
            : Self.characterCount(bytes, (member.value.lowerBound + 1)..<(member.value.upperBound - 1))
        guard characters < 256 else { throw .outIDTooLong }
    }

    private mutating func takeTemplateParameters(
        _ bytes: borrowing Span<UInt8>,
        _ member: JSONMember?,
        in message: inout Message,
        rewritten: inout [UInt8],
    ) throws(MessageFault) {
        guard let member else { return }
        switch member.kind {
        case .object:
            // Only what is not plain needs a second look.
            var isPlain = true
            if !member.isObjectOfStrings { isPlain = try scanVariables(bytes, member.value) }
            message.templateParameters =
                isPlain ? ByteRange(member.value) : writeVariables(bytes, rewritten: &rewritten)
        case .string:
            let start = rewritten.count
            let inside = (member.value.lowerBound + 1)..<(member.value.upperBound - 1)
            JSONText.appendDecoded(bytes, inside, to: &rewritten)
            if try scanVariables(rewritten.span, start..<rewritten.count) {
                let object = Self.withoutBlanks(rewritten.span, start..<rewritten.count)
                message.templateParameters = Self.rewrittenRange(object)
            } else {
                let text = Array(rewritten[start...])
                rewritten.removeSubrange(start...)
                _ = try scanVariables(text.span, 0..<text.count)
                message.templateParameters = writeVariables(text.span, rewritten: &rewritten)
            }
        default:
            throw .templateParameters("is no object")
        }
        message.traits.insert(.hasParameters)
    }

    /// Finds the template's variables.
    ///
    /// - Returns: Whether every value is a string already.
    private mutating func scanVariables(
        _ bytes: borrowing Span<UInt8>,
        _ range: Range<Int>,
    ) throws(MessageFault) -> Bool {
        do throws(JSONError) {
            try JSONScanner.scanObject(bytes, in: range, into: &variables)
        } catch {
            throw .templateParameters("is a string that holds no JSON object")
        }
        var isPlain = true
        for variable in variables where variable.kind != .string {
            guard variable.kind == .number else { throw .templateParameters("has a value that is no string") }
            isPlain = false
        }
        return isPlain
    }

    /// Writes the variables as an object of strings; a number becomes its exact text.
    private func writeVariables(_ bytes: borrowing Span<UInt8>, rewritten: inout [UInt8]) -> ByteRange {
        let start = rewritten.count
        for (index, variable) in variables.enumerated() {
            rewritten.append(UInt8(ascii: index == 0 ? "{" : ","))
            rewritten.append(copying: bytes, (variable.name.lowerBound - 1)..<(variable.name.upperBound + 1))
            rewritten.append(UInt8(ascii: ":"))
            if variable.kind == .number { rewritten.append(UInt8(ascii: "\"")) }
            rewritten.append(copying: bytes, variable.value)
            if variable.kind == .number { rewritten.append(UInt8(ascii: "\"")) }
        }
        rewritten.append(UInt8(ascii: "}"))
        return Self.rewrittenRange(start, rewritten)
    }

    // MARK: - Bytes

    /// The text of a string member: in place, or decoded if it has escapes.
    private static func text(
        _ bytes: borrowing Span<UInt8>,
        _ member: JSONMember,
        rewritten: inout [UInt8],
    ) -> ByteRange {
        let inside = (member.value.lowerBound + 1)..<(member.value.upperBound - 1)
        guard member.hasEscapes else { return ByteRange(inside) }
        let start = rewritten.count
        JSONText.appendDecoded(bytes, inside, to: &rewritten)
        return rewrittenRange(start, rewritten)
    }

    private static func append(_ text: [UInt8], to rewritten: inout [UInt8]) -> ByteRange {
        let start = rewritten.count
        rewritten.append(contentsOf: text)
        return rewrittenRange(start, rewritten)
    }

    private static func rewrittenRange(_ start: Int, _ rewritten: [UInt8]) -> ByteRange {
        rewrittenRange(start..<rewritten.count)
    }

    private static func rewrittenRange(_ range: Range<Int>) -> ByteRange {
        // Beyond, it would stand for another line's text.
        precondition(range.upperBound < ByteRange.rewrittenBit, "rewritten texts of more than 2 GiB")
        return ByteRange(start: UInt32(range.lowerBound) | ByteRange.rewrittenBit, count: UInt32(range.count))
    }

    /// The range of a JSON object or array without the blanks around it, which may be there in a text of its own.
    private static func withoutBlanks(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while bytes[start] <= UInt8(ascii: " ") { start += 1 }
        while bytes[end - 1] <= UInt8(ascii: " ") { end -= 1 }
        return start..<end
    }

    private static func equal(
        _ bytes: borrowing Span<UInt8>,
        _ rewritten: [UInt8],
        _ range: ByteRange,
        _ text: [UInt8],
    ) -> Bool {
        guard Int(range.count) == text.count else { return false }
        let start = range.indices.lowerBound
        return range.isRewritten ? rewritten.span.equals(text.span, at: start) : bytes.equals(text.span, at: start)
    }

    private static func characterCount(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        for index in range where bytes[index] & 0xC0 != 0x80 { count += 1 }
        return count
    }

    private static func batchKeyHash(_ bytes: borrowing Span<UInt8>, _ message: Message, _ rewritten: [UInt8]) -> UInt64
    {
        var hash = BatchKeyHash(traits: message.traits)
        func combine(_ range: ByteRange) {
            if range.isRewritten {
                hash.combine(rewritten.span, range.indices)
            } else {
                hash.combine(bytes, range.indices)
            }
        }
        combine(message.templateCode)
        combine(message.outID)
        return hash.value
    }
}
