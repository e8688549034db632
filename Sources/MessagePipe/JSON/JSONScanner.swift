// SPDX-License-Identifier: Apache-2.0

/// The six kinds of JSON value; `true` and `false` stand apart, as RFC 8259 has them.
package enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null
}

/// One member of an object, or one element of an array, as ranges into the scanned bytes.
package struct JSONMember: Equatable, Sendable {
    private var nameStart: UInt32
    private var nameEnd: UInt32
    private var valueStart: UInt32
    private var valueEnd: UInt32
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
        nameStart = UInt32(truncatingIfNeeded: name.lowerBound)
        nameEnd = UInt32(truncatingIfNeeded: name.upperBound)
        valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
        valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
        self.nameHasEscapes = nameHasEscapes
        self.kind = kind
        self.hasEscapes = hasEscapes
        self.isObjectOfStrings = isObjectOfStrings
    }

    /// The name without its quotes; empty for an element of an array.
    package var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }

    /// The whole text of the value, the quotes of a string included.
    package var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
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
package struct JSONScanner: ~Copyable, ~Escapable {
    /// The deepest nesting that is accepted; the outermost object counts as one.
    package static let maximumDepth = 128

    private let bytes: Span<UInt8>
    private let start: Int
    private let end: Int
    private var position: Int
    private var stringHasEscapes = false
    private var objectIsOfStrings = false
    /// The bytes of strings that were looked at, or-ed together, and perhaps some behind them: its top bits tell of bytes
    /// beyond ASCII.
    private var beyondASCII: UInt64 = 0

    @_lifetime(copy bytes)
    private init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        precondition(range.upperBound <= bytes.count, "range beyond the bytes")
        self.bytes = bytes
        start = range.lowerBound
        end = range.upperBound
        position = range.lowerBound
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
        var scanner = JSONScanner(bytes, range)
        scanner.whitespace()
        let brace = scanner.position
        guard scanner.peek == UInt8(ascii: "{") else { throw scanner.failure("'{'") }
        try scanner.object(depth: 1, members: &members)
        try scanner.endOfText()
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
        var scanner = JSONScanner(bytes, range)
        scanner.whitespace()
        guard scanner.peek == UInt8(ascii: "[") else { throw scanner.failure("'['") }
        try scanner.array(depth: 1, elements: &elements)
        try scanner.endOfText()
        return elements
    }

    /// Checks a text of any kind.
    ///
    /// - Returns: The kind of its outermost value.
    /// - Throws: ``JSONError`` at the first byte that breaks a rule.
    package static func check(_ bytes: Span<UInt8>, in range: Range<Int>) throws(JSONError) -> JSONKind {
        var scanner = JSONScanner(bytes, range)
        scanner.whitespace()
        let kind = try scanner.value(depth: 0)
        try scanner.endOfText()
        return kind
    }

    // MARK: - The grammar

    private mutating func endOfText() throws(JSONError) {
        whitespace()
        guard position == end else { throw failure("the end of the line after the value") }
        if beyondASCII & 0x8080_8080_8080_8080 != 0 { try checkUTF8() }
    }

    private mutating func object(depth: Int, members: inout [JSONMember]) throws(JSONError) {
        position += 1
        whitespace()
        if peek == UInt8(ascii: "}") {
            position += 1
            return
        }
        while true {
            let name = try memberName()
            let nameHasEscapes = stringHasEscapes
            let valueStart = position
            let kind = try value(depth: depth)
            members.append(
                JSONMember(
                    name: name,
                    nameHasEscapes: nameHasEscapes,
                    value: valueStart..<position,
                    kind: kind,
                    hasEscapes: kind == .string && stringHasEscapes,
                    isObjectOfStrings: kind == .object && objectIsOfStrings,
                )
            )
            guard try separator(or: UInt8(ascii: "}"), expected: "',' or '}' after a member") else { return }
        }
    }

    private mutating func array(depth: Int, elements: inout [JSONMember]) throws(JSONError) {
        position += 1
        whitespace()
        if peek == UInt8(ascii: "]") {
            position += 1
            return
        }
        while true {
            let valueStart = position
            let kind = try value(depth: depth)
            elements.append(
                JSONMember(
                    name: valueStart..<valueStart,
                    nameHasEscapes: false,
                    value: valueStart..<position,
                    kind: kind,
                    hasEscapes: kind == .string && stringHasEscapes,
                    isObjectOfStrings: kind == .object && objectIsOfStrings,
                )
            )
            guard try separator(or: UInt8(ascii: "]"), expected: "',' or ']' after an element") else { return }
        }
    }

    /// Walks over an object inside a value, whose members nobody asks for; sets `objectIsOfStrings`.
    private mutating func nestedObject(depth: Int) throws(JSONError) {
        position += 1
        whitespace()
        if peek == UInt8(ascii: "}") {
            position += 1
            objectIsOfStrings = true
            return
        }
        var isOfStrings = true
        repeat {
            _ = try memberName()
            if try value(depth: depth) != .string { isOfStrings = false }
        } while try separator(or: UInt8(ascii: "}"), expected: "',' or '}' after a member")
        objectIsOfStrings = isOfStrings
    }

    private mutating func nestedArray(depth: Int) throws(JSONError) {
        position += 1
        whitespace()
        if peek == UInt8(ascii: "]") {
            position += 1
            return
        }
        repeat {
            _ = try value(depth: depth)
        } while try separator(or: UInt8(ascii: "]"), expected: "',' or ']' after an element")
    }

    /// A member's name and the colon behind it, up to the first byte of its value.
    @inline(__always)
    private mutating func memberName() throws(JSONError) -> Range<Int> {
        guard peek == UInt8(ascii: "\"") else { throw failure("a member name in quotes") }
        let start = position + 1
        try string()
        let name = start..<(position - 1)
        if peek != UInt8(ascii: ":") {
            whitespace()
            guard peek == UInt8(ascii: ":") else { throw failure("':' after a member name") }
        }
        position += 1
        whitespace()
        return name
    }

    /// The comma before a next value, or the end of the object or array.
    ///
    /// - Returns: Whether a next value follows; the position is then on its first byte.
    @inline(__always)
    private mutating func separator(or close: UInt8, expected: StaticString) throws(JSONError) -> Bool {
        whitespace()
        let byte = peek
        guard byte == UInt8(ascii: ",") else {
            guard byte == close else { throw failure(expected) }
            position += 1
            return false
        }
        position += 1
        whitespace()
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONKind {
        switch peek {
        case UInt8(ascii: "\""):
            try string()
            return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try number()
            return .number
        case UInt8(ascii: "{"):
            try checkDepth(depth)
            try nestedObject(depth: depth + 1)
            return .object
        case UInt8(ascii: "["):
            try checkDepth(depth)
            try nestedArray(depth: depth + 1)
            return .array
        case UInt8(ascii: "t"):
            try literal("true")
            return .true
        case UInt8(ascii: "f"):
            try literal("false")
            return .false
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default:
            throw failure("a value")
        }
    }

    private func checkDepth(_ depth: Int) throws(JSONError) {
        guard depth < Self.maximumDepth else { throw failure("at most 128 nested values") }
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        let text = text.description.utf8
        guard end - position >= text.count else { throw failure("a value") }
        var index = position
        for byte in text {
            guard bytes[index] == byte else { throw failure("a value") }
            index += 1
        }
        position = index
    }

    private mutating func number() throws(JSONError) {
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits("a digit")
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits("a digit after the decimal point")
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits("a digit in the exponent")
        }
    }

    private mutating func digits(_ expected: StaticString) throws(JSONError) {
        let first = position
        while position < end, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > first else { throw failure(expected) }
    }

    @inline(__always)
    private mutating func whitespace() {
        guard position < end, bytes[position] <= 0x20 else { return }
        blanks()
    }

    @inline(never)
    private mutating func blanks() {
        while position < end {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D else { return }
            position += 1
        }
    }

    // MARK: - Strings

    /// A string from its opening to behind its closing quote; sets `stringHasEscapes`.
    ///
    /// Looks for the quote, a backslash or a control character, eight bytes a step. Bytes beyond ASCII are only noted: the
    /// whole text is checked for UTF-8 once, at its end, if there are any.
    @inline(__always)
    private mutating func string() throws(JSONError) {
        stringHasEscapes = false
        var index = position + 1
        while true {
            index = plainTextEnd(from: index)
            guard index < end else {
                position = end
                throw failure("'\"' at the end of a string")
            }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                position = index + 1
                return
            }
            position = index
            guard byte == UInt8(ascii: "\\") else { throw failure("an escape in place of a raw control character") }
            stringHasEscapes = true
            try escape()
            index = position
        }
    }

    /// The index of the next quote, backslash or control character, or one that is not below `end`.
    ///
    /// The lowest byte that a subtraction marks is exact: a borrow reaches only the bytes above it.
    @inline(__always)
    private mutating func plainTextEnd(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while bytes.count &- index >= 8 {
            // Within the bytes by the loop's condition; no safe unaligned load exists.
            let word = unsafe UInt64(
                littleEndian: bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            )
            beyondASCII |= word
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let marks =
                ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash | (word &- ones &* 0x20) & ~word) & tops
            if marks != 0 { return index &+ marks.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end {
            let byte = bytes[index]
            beyondASCII |= UInt64(byte)
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return index }
            index += 1
        }
        return index
    }

    /// The index behind the ASCII at a place, or one that is not below `end`.
    @inline(__always)
    private func asciiEnd(from start: Int) -> Int {
        var index = start
        while bytes.count &- index >= 8 {
            // Within the bytes by the loop's condition; no safe unaligned load exists.
            let word = unsafe UInt64(
                littleEndian: bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            )
            let marks = word & 0x8080_8080_8080_8080
            if marks != 0 { return index &+ marks.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end, bytes[index] < 0x80 { index += 1 }
        return index
    }

    /// Checks the whole text against the table of well-formed UTF-8 (Unicode, table 3-7).
    ///
    /// Outside strings the grammar has let ASCII through only.
    private mutating func checkUTF8() throws(JSONError) {
        var index = start
        while index < end {
            let leading = bytes[index]
            if leading < 0x80 {
                index = asciiEnd(from: index)
                continue
            }
            let second: ClosedRange<UInt8>
            let count: Int
            switch leading {
            case 0xE1...0xEC, 0xEE, 0xEF: (second, count) = (0x80...0xBF, 3)
            case 0xC2...0xDF: (second, count) = (0x80...0xBF, 2)
            case 0xE0: (second, count) = (0xA0...0xBF, 3)
            case 0xED: (second, count) = (0x80...0x9F, 3)
            case 0xF0: (second, count) = (0x90...0xBF, 4)
            case 0xF4: (second, count) = (0x80...0x8F, 4)
            case 0xF1...0xF3: (second, count) = (0x80...0xBF, 4)
            default: (second, count) = (0xFF...0xFF, 5)
            }
            guard end - index >= count, second.contains(bytes[index + 1]),
                count < 3 || bytes[index + 2] & 0xC0 == 0x80, count < 4 || bytes[index + 3] & 0xC0 == 0x80
            else {
                position = index
                throw failure("well-formed UTF-8")
            }
            index += count
        }
    }

    private mutating func escape() throws(JSONError) {
        guard position + 1 < end else { throw failure("an escape such as \\n or \\u0041") }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            try unicodeEscape()
        default:
            throw failure("an escape such as \\n or \\u0041")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) {
        switch try hexadecimalUnit(at: position) {
        case 0xD800...0xDBFF:
            let low = position + 6
            guard low + 1 < end, bytes[low] == UInt8(ascii: "\\"), bytes[low + 1] == UInt8(ascii: "u"),
                case 0xDC00...0xDFFF = try hexadecimalUnit(at: low)
            else { throw failure("both halves of a surrogate pair") }
            position += 12
        case 0xDC00...0xDFFF:
            throw failure("both halves of a surrogate pair")
        default:
            position += 6
        }
    }

    private func hexadecimalUnit(at index: Int) throws(JSONError) -> UInt32 {
        guard end - index >= 6 else { throw failure("four hexadecimal digits after \\u") }
        var unit: UInt32 = 0
        for digit in (index + 2)..<(index + 6) {
            guard let value = JSONText.hexadecimalValue(bytes[digit]) else {
                throw failure("four hexadecimal digits after \\u")
            }
            unit = unit << 4 | value
        }
        return unit
    }

    // MARK: - Position

    @inline(__always)
    private var peek: UInt8 {
        // NUL stands for the end: no rule accepts it.
        position < end ? bytes[position] : 0
    }

    private func failure(_ expected: StaticString) -> JSONError {
        JSONError(offset: position - start, expected: expected.description)
    }
}
