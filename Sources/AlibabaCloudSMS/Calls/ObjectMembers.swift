// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// The members of one JSON object, by name.
struct ObjectMembers {
    private var members: [JSONMember] = []

    /// Creates what takes the members of an object yet to be scanned.
    init() {}

    /// Scans an object.
    init(of bytes: Span<UInt8>, in range: Range<Int>) throws(JSONError) {
        try scan(bytes, in: range)
    }

    /// Scans another object into the same storage.
    mutating func scan(_ bytes: Span<UInt8>, in range: Range<Int>) throws(JSONError) {
        try JSONScanner.scanObject(bytes, in: range, into: &members)
    }

    /// The last member with a name; `nil` if there is none.
    func member(_ name: String, in bytes: Span<UInt8>) -> JSONMember? {
        members.last { Self.isNamed($0, name, in: bytes) }
    }

    /// Calls a function with each member that has one of two names.
    func forEach(named name: String, or other: String, in bytes: Span<UInt8>, _ body: (JSONMember) -> Void) {
        for member in members where Self.isNamed(member, name, in: bytes) || Self.isNamed(member, other, in: bytes) {
            body(member)
        }
    }

    private static func isNamed(_ member: JSONMember, _ name: String, in bytes: Span<UInt8>) -> Bool {
        if member.nameHasEscapes {
            var text: [UInt8] = []
            JSONText.appendDecoded(bytes, member.name, to: &text)
            return text.elementsEqual(name.utf8)
        }
        let utf8 = name.utf8.span
        return member.name.count == utf8.count
            && utf8.indices.allSatisfy { bytes[member.name.lowerBound + $0] == utf8[$0] }
    }

    /// The text of a string or a number; `nil` for any other kind and where there is no such member.
    func text(_ name: String, in bytes: Span<UInt8>) -> String? {
        member(name, in: bytes).flatMap { Self.text(of: $0, in: bytes) }
    }

    /// The text of a string or a number; `nil` for any other kind.
    static func text(of member: JSONMember, in bytes: Span<UInt8>) -> String? {
        switch member.kind {
        case .string where member.hasEscapes:
            return String(decoding: JSONText.decodeString(bytes, member.value), as: UTF8.self)
        case .string: return text(of: bytes, (member.value.lowerBound + 1)..<(member.value.upperBound - 1))
        case .number: return text(of: bytes, member.value)
        case .object, .array, .true, .false, .null: return nil
        }
    }

    private static func text(of bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The text of a string or a number that is not empty.
    func nonEmptyText(_ name: String, in bytes: Span<UInt8>) -> String? {
        guard let text = text(name, in: bytes), !text.isEmpty else { return nil }
        return text
    }
}
