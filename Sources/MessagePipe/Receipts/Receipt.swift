// SPDX-License-Identifier: Apache-2.0

/// What the service tells of by itself.
package enum ReceiptType: String, Sendable {
    /// What became of a message.
    case report = "SmsReport"
    /// A reply that somebody has sent.
    case reply = "SmsUp"
}

/// A receipt as it came: one JSON object.
///
/// Source: api 5.1, the fields of SmsReport and SmsUp.
struct Receipt {
    /// Which of the two it is; `nil` for one that has the fields of neither.
    let type: ReceiptType?
    private let members: [JSONMember]

    /// Reads a receipt.
    ///
    /// - Parameters:
    ///   - bytes: Hold the object.
    ///   - range: Where it stands.
    ///   - type: What it is known to be by where it came from; `nil` to tell by its fields.
    /// - Throws: ``JSONError`` if it is no JSON object.
    init(_ bytes: Span<UInt8>, in range: Range<Int>, type: ReceiptType? = nil) throws(JSONError) {
        var members: [JSONMember] = []
        try JSONScanner.scanObject(bytes, in: range, into: &members)
        self.members = members
        self.type = type ?? Self.type(of: members, in: bytes)
    }

    private static func type(of members: [JSONMember], in bytes: Span<UInt8>) -> ReceiptType? {
        func has(_ name: StaticString) -> Bool {
            members.contains { isNamed(name, $0, bytes) }
        }
        if has("content") || has("dest_code") { return .reply }
        return has("success") || has("err_code") || has("report_time") ? .report : nil
    }

    /// Appends its line: `Type`, and the service's own fields as they came.
    func appendLine(_ bytes: Span<UInt8>, to lines: inout [UInt8]) {
        lines.append(copying: "{\"Type\":")
        JSONText.appendString(type?.rawValue, to: &lines)
        // The line has one `Type`, and it is ours.
        for member in members where !Self.isNamed("Type", member, bytes) {
            lines.append(copying: ",\"")
            lines.append(copying: bytes, member.name)
            lines.append(copying: "\":")
            // Between the tokens of a value that is an object or array there may be line ends; within strings there are none.
            for index in member.value where bytes[index] != 0x0A && bytes[index] != 0x0D { lines.append(bytes[index]) }
        }
        lines.append(copying: "}\n")
    }

    private static func isNamed(_ name: StaticString, _ member: JSONMember, _ bytes: Span<UInt8>) -> Bool {
        guard member.nameHasEscapes else {
            return member.name.count == name.utf8CodeUnitCount && bytes.equals(name, at: member.name.lowerBound)
        }
        var text: [UInt8] = []
        JSONText.appendDecoded(bytes, member.name, to: &text)
        return text.count == name.utf8CodeUnitCount && text.span.equals(name, at: 0)
    }

    /// Appends a value without the blanks between its tokens.
    private static func appendCompact(_ bytes: Span<UInt8>, _ range: Range<Int>, to text: inout [UInt8]) {
        var (isInString, isEscaped) = (false, false)
        for index in range {
            let byte = bytes[index]
            if isInString {
                if byte == UInt8(ascii: "\""), !isEscaped { isInString = false }
                isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            } else if byte <= 0x20 {
                continue
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            }
            text.append(byte)
        }
    }

    /// Stands for what it says, however it is spelt and in whatever order.
    func digest(_ bytes: Span<UInt8>, _ keyed: KeyedDigest) -> Digest96 {
        var fields = members.map { member in
            var name: [UInt8] = []
            JSONText.appendDecoded(bytes, member.name, to: &name)
            var value: [UInt8] = []
            if member.kind == .string {
                JSONText.appendDecoded(bytes, (member.value.lowerBound + 1)..<(member.value.upperBound - 1), to: &value)
            } else {
                Self.appendCompact(bytes, member.value, to: &value)
            }
            return (name: name, kind: member.kind, value: value)
        }
        fields.sort { $0.name.lexicographicallyPrecedes($1.name) }
        var text = Array((type?.rawValue ?? "").utf8)
        for field in fields {
            text.append(0)
            text.append(decimal: UInt64(field.name.count))
            text.append(0)
            text.append(contentsOf: field.name)
            text.append(field.kind.rawValue)
            text.append(decimal: UInt64(field.value.count))
            text.append(0)
            text.append(contentsOf: field.value)
        }
        return keyed.digest(of: text.span)
    }
}
