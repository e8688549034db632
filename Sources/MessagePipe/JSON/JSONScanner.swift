// SPDX-License-Identifier: Apache-2.0

/// The six kinds of JSON value; `true` and `false` stand apart, as RFC 8259 has them.
package enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null
}

/// One member of an object, or one element of an array, as ranges into the scanned bytes.
package struct JSONMember: Equatable, Sendable {
    private let nameBounds: UInt64
    private var valueBounds: UInt64
    /// Whether the name holds an escape, so that its bytes are not its text.
    package let nameHasEscapes: Bool
    /// The kind of the value.
    package let kind: JSONKind
    /// Whether the value is a string that holds an escape.
    package let hasEscapes: Bool
    /// Whether the value is an object of nothing but strings.
    package let isObjectOfStrings: Bool

    init(
        name: Range<Int>,
        nameHasEscapes: Bool,
        value: Range<Int>,
        kind: JSONKind,
        hasEscapes: Bool,
        isObjectOfStrings: Bool,
    ) {
        nameBounds = Self.bounds(name)
        valueBounds = Self.bounds(value)
        self.nameHasEscapes = nameHasEscapes
        self.kind = kind
        self.hasEscapes = hasEscapes
        self.isObjectOfStrings = isObjectOfStrings
    }

    /// The name without its quotes; empty for an element of an array.
    package var name: Range<Int> { Self.range(nameBounds) }

    /// The whole text of the value, the quotes of a string included.
    package var value: Range<Int> { Self.range(valueBounds) }

    /// Lets the member stand for one with its value in another place.
    mutating func move(toValue value: Range<Int>) { valueBounds = Self.bounds(value) }

    /// Both bounds in one word: a store of two halves cannot be forwarded to a load of the whole, which follows at once.
    private static func bounds(_ range: Range<Int>) -> UInt64 {
        UInt64(UInt32(truncatingIfNeeded: range.lowerBound)) | UInt64(truncatingIfNeeded: range.upperBound) &<< 32
    }

    private static func range(_ bounds: UInt64) -> Range<Int> {
        Int(UInt32(truncatingIfNeeded: bounds))..<Int(bounds &>> 32)
    }
}

/// A text that is not JSON: where, and what should have stood there.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// The number of bytes before the offending one, from the start of the scanned range.
    package let offset: Int
    /// What was expected there, such as `':' after a member name`.
    package let expected: String

    package var description: String { "byte \(offset): expected \(expected)" }
}

/// Checks one JSON text wholly against RFC 8259 and yields the members of its outermost value as byte ranges.
///
/// Checked are the grammar, UTF-8, escapes, lone surrogates (refused: they are no text), raw control characters, trailing
/// bytes, and a nesting depth of at most ``maximumDepth``. Steps are named as the RFC names its rules.
///
/// A scanner has no state of its own: each step takes the index where its rule begins and returns the one behind it, so
/// that positions stay in registers.
package struct JSONScanner: ~Copyable, ~Escapable {
    /// The deepest nesting that is accepted; the outermost object counts as one.
    package static let maximumDepth = 128

    let bytes: Span<UInt8>
    private let start: Int
    let end: Int

    /// A value that was walked over.
    private struct Value {
        var kind: JSONKind
        /// The index behind its last byte.
        var end: Int
        /// Whether it is a string that holds an escape.
        var hasEscapes = false
        /// Whether it is an object of nothing but strings.
        var isObjectOfStrings = false
    }

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range beyond the bytes")
        self.bytes = bytes
        start = range.lowerBound
        end = range.upperBound
    }

    /// Scans a text that must be an object.
    ///
    /// - Parameters:
    ///   - bytes: Holds the text.
    ///   - range: Where the text stands in `bytes`; offsets of errors count from its start.
    ///   - members: Emptied, then filled with the object's members in their order; its storage is reused.
    /// - Returns: The index of the object's `{`.
    /// - Throws: ``JSONError`` at the first byte that breaks a rule.
    /// - Complexity: O(*n*) in the bytes of the range.
    @discardableResult
    package static func scanObject(
        _ bytes: Span<UInt8>,
        in range: Range<Int>,
        into members: inout [JSONMember],
    ) throws(JSONError) -> Int {
        members.removeAll(keepingCapacity: true)
        let scanner = JSONScanner(bytes, range)
        let brace = scanner.skipBlanks(range.lowerBound)
        guard scanner.byte(at: brace) == UInt8(ascii: "{") else { throw scanner.failure("'{'", at: brace) }
        try scanner.endOfText(scanner.object(at: brace, members: &members))
        return brace
    }

    /// The members of a text that must be an object; see ``scanObject(_:in:into:)``.
    package static func members(of bytes: Span<UInt8>, in range: Range<Int>) throws(JSONError) -> [JSONMember] {
        var members: [JSONMember] = []
        try scanObject(bytes, in: range, into: &members)
        return members
    }

    /// The elements of a text that must be an array, as members without names.
    ///
    /// - Throws: ``JSONError`` at the first byte that breaks a rule.
    package static func elements(of bytes: Span<UInt8>, in range: Range<Int>) throws(JSONError) -> [JSONMember] {
        var elements: [JSONMember] = []
        let scanner = JSONScanner(bytes, range)
        let bracket = scanner.skipBlanks(range.lowerBound)
        guard scanner.byte(at: bracket) == UInt8(ascii: "[") else { throw scanner.failure("'['", at: bracket) }
        try scanner.endOfText(scanner.array(at: bracket, elements: &elements))
        return elements
    }

    /// Checks a text of any kind.
    ///
    /// - Returns: The kind of its outermost value.
    /// - Throws: ``JSONError`` at the first byte that breaks a rule.
    package static func check(_ bytes: Span<UInt8>, in range: Range<Int>) throws(JSONError) -> JSONKind {
        let scanner = JSONScanner(bytes, range)
        let value = try scanner.value(at: scanner.skipBlanks(range.lowerBound), depth: 0)
        try scanner.endOfText(value.end)
        return value.kind
    }

    // MARK: - The grammar

    private func endOfText(_ index: Int) throws(JSONError) {
        let index = skipBlanks(index)
        guard index == end else { throw failure("the end of the line after the value", at: index) }
    }

    /// The outermost object.
    private func object(at brace: Int, members: inout [JSONMember]) throws(JSONError) -> Int {
        var index = skipBlanks(brace &+ 1)
        if byte(at: index) == UInt8(ascii: "}") { return index &+ 1 }
        while true {
            let name = try memberName(at: index)
            index = name.valueStart
            let value = try value(at: index, depth: 1)
            members.append(
                JSONMember(
                    name: name.range,
                    nameHasEscapes: name.hasEscapes,
                    value: index..<value.end,
                    kind: value.kind,
                    hasEscapes: value.hasEscapes,
                    isObjectOfStrings: value.isObjectOfStrings,
                )
            )
            let separator = try separator(at: value.end, or: UInt8(ascii: "}"), "',' or '}' after a member")
            index = separator.end
            if separator.isLast { return index }
        }
    }

    /// The outermost array.
    private func array(at bracket: Int, elements: inout [JSONMember]) throws(JSONError) -> Int {
        var index = skipBlanks(bracket &+ 1)
        if byte(at: index) == UInt8(ascii: "]") { return index &+ 1 }
        while true {
            let value = try value(at: index, depth: 1)
            elements.append(
                JSONMember(
                    name: index..<index,
                    nameHasEscapes: false,
                    value: index..<value.end,
                    kind: value.kind,
                    hasEscapes: value.hasEscapes,
                    isObjectOfStrings: value.isObjectOfStrings,
                )
            )
            let separator = try separator(at: value.end, or: UInt8(ascii: "]"), "',' or ']' after an element")
            index = separator.end
            if separator.isLast { return index }
        }
    }

    /// Walks over an object inside a value, whose members nobody asks for.
    private func nestedObject(at brace: Int, depth: Int) throws(JSONError) -> Value {
        var object = Value(kind: .object, end: skipBlanks(brace &+ 1), isObjectOfStrings: true)
        if byte(at: object.end) == UInt8(ascii: "}") {
            object.end &+= 1
            return object
        }
        while true {
            let member = try value(at: memberName(at: object.end).valueStart, depth: depth)
            if member.kind != .string { object.isObjectOfStrings = false }
            let separator = try separator(at: member.end, or: UInt8(ascii: "}"), "',' or '}' after a member")
            object.end = separator.end
            if separator.isLast { return object }
        }
    }

    private func nestedArray(at bracket: Int, depth: Int) throws(JSONError) -> Value {
        var array = Value(kind: .array, end: skipBlanks(bracket &+ 1))
        if byte(at: array.end) == UInt8(ascii: "]") {
            array.end &+= 1
            return array
        }
        while true {
            let element = try value(at: array.end, depth: depth)
            let separator = try separator(at: element.end, or: UInt8(ascii: "]"), "',' or ']' after an element")
            array.end = separator.end
            if separator.isLast { return array }
        }
    }

    /// A member's name and the colon behind it.
    @inline(__always)
    private func memberName(
        at quote: Int
    ) throws(JSONError) -> (range: Range<Int>, hasEscapes: Bool, valueStart: Int) {
        guard byte(at: quote) == UInt8(ascii: "\"") else { throw failure("a member name in quotes", at: quote) }
        let (behind, hasEscapes) = try string(at: quote)
        let colon = skipBlanks(behind)
        guard byte(at: colon) == UInt8(ascii: ":") else { throw failure("':' after a member name", at: colon) }
        return ((quote &+ 1)..<(behind &- 1), hasEscapes, skipBlanks(colon &+ 1))
    }

    /// The comma before a next value, or the end of the object or array.
    ///
    /// - Returns: The index of the next value or the one behind the end, and which of them it is.
    @inline(__always)
    private func separator(
        at index: Int,
        or close: UInt8,
        _ expected: StaticString,
    ) throws(JSONError) -> (end: Int, isLast: Bool) {
        let index = skipBlanks(index)
        let byte = byte(at: index)
        if byte == UInt8(ascii: ",") { return (skipBlanks(index &+ 1), false) }
        guard byte == close else { throw failure(expected, at: index) }
        return (index &+ 1, true)
    }

    @inline(__always)
    private func value(at index: Int, depth: Int) throws(JSONError) -> Value {
        guard byte(at: index) == UInt8(ascii: "\"") else { return try otherValue(at: index, depth: depth) }
        let string = try string(at: index)
        return Value(kind: .string, end: string.end, hasEscapes: string.hasEscapes)
    }

    /// A value that is no string.
    @inline(never)
    private func otherValue(at index: Int, depth: Int) throws(JSONError) -> Value {
        switch byte(at: index) {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return Value(kind: .number, end: try number(at: index))
        case UInt8(ascii: "{"):
            try checkDepth(depth, at: index)
            return try nestedObject(at: index, depth: depth &+ 1)
        case UInt8(ascii: "["):
            try checkDepth(depth, at: index)
            return try nestedArray(at: index, depth: depth &+ 1)
        case UInt8(ascii: "t"): return Value(kind: .true, end: try literal("true", at: index))
        case UInt8(ascii: "f"): return Value(kind: .false, end: try literal("false", at: index))
        case UInt8(ascii: "n"): return Value(kind: .null, end: try literal("null", at: index))
        default: throw failure("a value", at: index)
        }
    }

    private func checkDepth(_ depth: Int, at index: Int) throws(JSONError) {
        guard depth < Self.maximumDepth else { throw failure("at most 128 nested values", at: index) }
    }

    private func literal(_ text: StaticString, at index: Int) throws(JSONError) -> Int {
        guard end &- index >= text.utf8CodeUnitCount, bytes.equals(text, at: index) else {
            throw failure("a value", at: index)
        }
        return index &+ text.utf8CodeUnitCount
    }

    func number(at first: Int) throws(JSONError) -> Int {
        var index = first
        if byte(at: index) == UInt8(ascii: "-") { index &+= 1 }
        index = byte(at: index) == UInt8(ascii: "0") ? index &+ 1 : try digits(at: index, "a digit")
        if byte(at: index) == UInt8(ascii: ".") {
            index = try digits(at: index &+ 1, "a digit after the decimal point")
        }
        if byte(at: index) | 0x20 == UInt8(ascii: "e") {
            index &+= 1
            if byte(at: index) == UInt8(ascii: "+") || byte(at: index) == UInt8(ascii: "-") { index &+= 1 }
            index = try digits(at: index, "a digit in the exponent")
        }
        return index
    }

    @inline(__always)
    private func digits(at first: Int, _ expected: StaticString) throws(JSONError) -> Int {
        var index = first
        while byte(at: index) &- UInt8(ascii: "0") < 10 { index &+= 1 }
        guard index > first else { throw failure(expected, at: first) }
        return index
    }

    // MARK: - Bytes

    @inline(__always)
    private func skipBlanks(_ index: Int) -> Int {
        byte(at: index) > 0x20 ? index : blanksEnd(index)
    }

    @inline(never)
    private func blanksEnd(_ first: Int) -> Int {
        var index = first
        while true {
            switch byte(at: index) {
            case 0x20, 0x09, 0x0A, 0x0D: index &+= 1
            default: return index
            }
        }
    }

    /// The byte at an index that is not before the text; NUL, which no rule accepts, stands for its end.
    @inline(__always)
    func byte(at index: Int) -> UInt8 {
        // Within the bytes, as the text is; the check of the subscript would be a second one.
        index < end ? unsafe bytes[unchecked: index] : 0
    }

    func failure(_ expected: StaticString, at index: Int) -> JSONError {
        JSONError(offset: index - start, expected: expected.description)
    }
}
