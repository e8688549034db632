// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// A JSON value as a tree, for small files that people write.
enum JSONValue: Equatable, Sendable {
    case object([Member])
    case array([JSONValue])
    case string(String)
    /// The number's text.
    case number(String)
    case boolean(Bool)
    case null

    /// One member of an object.
    struct Member: Equatable, Sendable {
        var name: String
        var value: JSONValue
    }

    /// Reads a text.
    ///
    /// - Throws: ``JSONError`` that says where the text is no JSON.
    init(_ bytes: [UInt8]) throws(JSONError) {
        self = try Self.value(bytes, 0..<bytes.count, try JSONScanner.check(bytes.span, in: 0..<bytes.count))
    }

    private static func value(_ bytes: [UInt8], _ range: Range<Int>, _ kind: JSONKind) throws(JSONError) -> JSONValue {
        switch kind {
        case .object:
            var members: [Member] = []
            for member in try JSONScanner.members(of: bytes.span, in: range) {
                var name: [UInt8] = []
                JSONText.appendDecoded(bytes.span, member.name, to: &name)
                let value = try value(bytes, member.value, member.kind)
                members.append(Member(name: String(decoding: name, as: UTF8.self), value: value))
            }
            return .object(members)
        case .array:
            var elements: [JSONValue] = []
            for element in try JSONScanner.elements(of: bytes.span, in: range) {
                elements.append(try value(bytes, element.value, element.kind))
            }
            return .array(elements)
        case .string: return .string(String(decoding: JSONText.decodeString(bytes.span, range), as: UTF8.self))
        case .number: return .number(String(decoding: bytes[range], as: UTF8.self))
        case .true: return .boolean(true)
        case .false: return .boolean(false)
        case .null: return .null
        }
    }
}
