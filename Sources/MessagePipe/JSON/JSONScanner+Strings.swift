// SPDX-License-Identifier: Apache-2.0

extension JSONScanner {
    /// A string.
    ///
    /// - Parameter quote: The index of its opening quote.
    /// - Returns: The index behind its closing quote, and whether there is an escape in it.
    /// - Throws: ``JSONError`` where it is no string.
    @inline(__always)
    func string(at quote: Int) throws(JSONError) -> (end: Int, hasEscapes: Bool) {
        var index = plainEnd(from: quote &+ 1)
        // The common string has nothing in it that needs a second look.
        if byte(at: index) == UInt8(ascii: "\"") { return (index &+ 1, false) }
        var hasEscapes = false
        index = try restOfString(from: index, &hasEscapes)
        return (index, hasEscapes)
    }

    /// The index of the quote that ends a string without escapes.
    ///
    /// - Parameter start: The index behind its opening quote.
    /// - Returns: The index; `nil` if there is an escape, or what is no text.
    @inline(__always)
    func unescapedEnd(from start: Int) -> Int? {
        var index = plainEnd(from: start)
        while byte(at: index) >= 0x80 {
            guard let end = try? scalars(at: index) else { return nil }
            index = plainEnd(from: end)
        }
        return byte(at: index) == UInt8(ascii: "\"") ? index : nil
    }

    /// A string from a byte that ends its plain part.
    @inline(never)
    private func restOfString(from index: Int, _ hasEscapes: inout Bool) throws(JSONError) -> Int {
        var index = index
        while true {
            switch byte(at: index) {
            case UInt8(ascii: "\""):
                return index &+ 1
            case UInt8(ascii: "\\"):
                hasEscapes = true
                index = try escape(at: index)
            case 0x80...:
                index = try scalars(at: index)
            default:
                guard index < end else { throw failure("'\"' at the end of a string", at: end) }
                throw failure("an escape in place of a raw control character", at: index)
            }
            index = plainEnd(from: index)
        }
    }

    /// The index of the next byte in a string that is a quote, a backslash, a control character or beyond ASCII, or one that
    /// is not below `end`.
    ///
    /// Sixteen bytes a step: nearly every name and value ends in the first.
    @inline(__always)
    private func plainEnd(from start: Int) -> Int {
        var index = start
        while bytes.count &- index >= 16 {
            // Within the bytes by the loop's condition, which makes the check of a safe load the second one.
            let text = unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD16<Int8>.self)
            // Bytes beyond ASCII are below zero here. A byte that is found is all ones.
            let isLow = text .< SIMD16<Int8>(repeating: 0x20)
            let isQuote = text .== SIMD16<Int8>(repeating: 0x22)
            let isBackslash = text .== SIMD16<Int8>(repeating: 0x5C)
            let found = isLow .| isQuote .| isBackslash
            let halves = unsafe unsafeBitCast(found, to: SIMD2<UInt64>.self)
            if halves.x != 0 { return index &+ halves.x.trailingZeroBitCount >> 3 }
            if halves.y != 0 { return index &+ 8 &+ halves.y.trailingZeroBitCount >> 3 }
            index &+= 16
        }
        while index < end {
            let byte = byte(at: index)
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            index &+= 1
        }
        return index
    }

    // MARK: - UTF-8

    /// Scalars beyond ASCII, one after the other; the first must be there.
    @inline(__always)
    private func scalars(at first: Int) throws(JSONError) -> Int {
        var index = first
        repeat {
            // Chinese text, nearly always: three bytes with the values of table 3-7, tried in one step.
            if end &- index >= 4 {
                let word = bytes.halfWord(at: index)
                let isThreeBytes = word & 0xC0_C0F0 == 0x80_80E0
                let isOverlong = word & 0x200F == 0
                let isSurrogate = word & 0x200F == 0x200D
                if isThreeBytes, !isOverlong, !isSurrogate {
                    index &+= 3
                    continue
                }
            }
            index = try scalar(at: index)
        } while byte(at: index) >= 0x80
        return index
    }

    /// A scalar beyond ASCII, checked against the table of well-formed UTF-8 (Unicode, table 3-7).
    private func scalar(at index: Int) throws(JSONError) -> Int {
        let second: ClosedRange<UInt8>
        let count: Int
        switch byte(at: index) {
        case 0xE1...0xEC, 0xEE, 0xEF: (second, count) = (0x80...0xBF, 3)
        case 0xC2...0xDF: (second, count) = (0x80...0xBF, 2)
        case 0xE0: (second, count) = (0xA0...0xBF, 3)
        case 0xED: (second, count) = (0x80...0x9F, 3)
        case 0xF0: (second, count) = (0x90...0xBF, 4)
        case 0xF4: (second, count) = (0x80...0x8F, 4)
        case 0xF1...0xF3: (second, count) = (0x80...0xBF, 4)
        default: throw failure("well-formed UTF-8", at: index)
        }
        guard second.contains(byte(at: index &+ 1)),
            count < 3 || byte(at: index &+ 2) & 0xC0 == 0x80, count < 4 || byte(at: index &+ 3) & 0xC0 == 0x80
        else { throw failure("well-formed UTF-8", at: index) }
        return index &+ count
    }

    // MARK: - Escapes

    private func escape(at backslash: Int) throws(JSONError) -> Int {
        switch byte(at: backslash &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            backslash &+ 2
        case UInt8(ascii: "u"):
            try unicodeEscape(at: backslash)
        default:
            throw failure("an escape such as \\n or \\u0041", at: backslash)
        }
    }

    private func unicodeEscape(at backslash: Int) throws(JSONError) -> Int {
        switch try hexadecimalUnit(at: backslash) {
        case 0xD800...0xDBFF:
            let low = backslash &+ 6
            guard byte(at: low) == UInt8(ascii: "\\"), byte(at: low &+ 1) == UInt8(ascii: "u"),
                let unit = try? hexadecimalUnit(at: low), (0xDC00...0xDFFF).contains(unit)
            else { throw failure("both halves of a surrogate pair", at: backslash) }
            return backslash &+ 12
        case 0xDC00...0xDFFF:
            throw failure("both halves of a surrogate pair", at: backslash)
        default:
            return backslash &+ 6
        }
    }

    /// The UTF-16 unit of an escape.
    private func hexadecimalUnit(at backslash: Int) throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for index in (backslash &+ 2)..<(backslash &+ 6) {
            guard let value = JSONText.hexadecimalValue(byte(at: index)) else {
                throw failure("four hexadecimal digits after \\u", at: backslash)
            }
            unit = unit << 4 | value
        }
        return unit
    }
}
