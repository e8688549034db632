// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// The text that a phone shows, and how many segments it takes.
enum MessageText {
    /// The text of a message: the sign name in brackets and the template with the message's values.
    ///
    /// A template whose text is not known is shown by its code and the values.
    static func text(of message: SentMessage, template: Template?) -> String {
        let values = values(of: message.templateParameters)
        guard let template else {
            let shown = values.map { " \($0.name)=\($0.value)" }.joined()
            return inBrackets(message.signName, template: nil) + "\(message.templateCode)\(shown)"
        }
        return inBrackets(message.signName, template: template) + template.rendered(with: values)
    }

    /// A sign name as the phone shows it.
    ///
    /// Source: api 7.4: an English one of an international message stands in plain brackets.
    private static func inBrackets(_ signName: String, template: Template?) -> String {
        let isEnglish = template?.kind == .international && signName.utf8.allSatisfy { $0 < 0x80 }
        return isEnglish ? "[\(signName)]" : "【\(signName)】"
    }

    /// The names and values of a JSON object of strings.
    static func values(of object: String?) -> [(name: String, value: String)] {
        guard let object else { return [] }
        let bytes = Array(object.utf8)
        guard let members = try? JSONScanner.members(of: bytes.span, in: 0..<bytes.count) else { return [] }
        return members.map { member in
            var name: [UInt8] = []
            JSONText.appendDecoded(bytes.span, member.name, to: &name)
            let value =
                member.kind == .string ? JSONText.decodeString(bytes.span, member.value) : Array(bytes[member.value])
            return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
    }

    /// How many segments a text takes.
    ///
    /// Source: api 7.4.
    static func segmentCount(of text: String, isInternational: Bool) -> Int {
        let isGSM = isInternational && text.utf8.allSatisfy { $0 < 0x80 }
        let extended = Set("|^{}[]~\\".unicodeScalars)
        let length = text.unicodeScalars.reduce(0) { $0 + (isGSM && extended.contains($1) ? 2 : 1) }
        let (single, part) = isGSM ? (160, 153) : (70, 67)
        return length <= single ? 1 : (length + part - 1) / part
    }

    /// How many segments the messages of a request take together.
    static func segmentCount(of send: SendRequest, template: Template?) -> Int {
        let isInternational = template?.kind == .international
        return send.elements.reduce(0) { total, element in
            let values = values(of: element.templateParameters.map(send.text))
            let name = inBrackets(send.text(element.signName), template: template)
            let text = name + (template?.rendered(with: values) ?? "")
            return total + segmentCount(of: text, isInternational: isInternational)
        }
    }
}
