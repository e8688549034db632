// SPDX-License-Identifier: Apache-2.0

/// The decoded parameters of one request: all names and values in one run of bytes.
///
/// Query parameters are appended first, those of the form body after them. A name that stands in both has the body's value.
package struct ParameterList: Sendable {
    /// One parameter, as ranges of ``ParameterList/bytes``.
    struct Entry: Sendable {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// How many parameters a request may hold; a real one holds fewer than thirty.
    static let maximumCount = 1_000

    /// The decoded names and values, one after the other.
    private(set) var bytes: [UInt8] = []
    /// The parameters in the order of the request.
    private(set) var entries: [Entry] = []
    /// How many of `entries` came from the query.
    private(set) var queryCount = 0

    /// Creates a list without parameters.
    init() {}

    /// Reads the parameters of a request.
    ///
    /// - Parameters:
    ///   - query: The text after `?` in the request target.
    ///   - form: The body, if its content type says that it is a form.
    /// - Throws: ``FormError`` for text that is no form encoding of UTF-8.
    init(query: Span<UInt8>, form: Span<UInt8>) throws(FormError) {
        var (entries, queryCount) = ([Entry](), 0)
        entries.reserveCapacity(24)
        bytes = try [UInt8](capacity: query.count + form.count) { output throws(FormError) in
            try Self.decode(query, to: &output, &entries)
            queryCount = entries.count
            try Self.decode(form, to: &output, &entries)
        }
        (self.entries, self.queryCount) = (entries, queryCount)
    }

    /// The range of the value of a parameter; `nil` if the request lacks it.
    func range(of name: StaticString) -> Range<Int>? {
        let wanted = name.description.utf8.span
        return entries.last { Self.equals(bytes.span, $0.name, wanted) }?.value
    }

    /// The value of a parameter as text; `nil` if the request lacks it.
    func text(of name: StaticString) -> String? {
        range(of: name).map { text(in: $0) }
    }

    /// The text of a range of the decoded bytes.
    func text(in range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    /// The parameters that a signature covers, sorted by name in byte order, each name once.
    ///
    /// - Parameter queryOnly: Whether to leave out the form body, as signature V3 does.
    /// - Returns: The parameters.
    func sortedEntries(queryOnly: Bool) -> [Entry] {
        let covered = queryOnly ? entries[..<queryCount] : entries[...]
        let span = bytes.span
        var unique: [Entry] = []
        unique.reserveCapacity(covered.count)
        for entry in covered {
            if let index = unique.firstIndex(where: { Self.equals(span, $0.name, span.extracting(entry.name)) }) {
                unique[index] = entry
            } else {
                unique.append(entry)
            }
        }
        return unique.sorted { Self.precedes(span, $0.name, $1.name) }
    }

    // MARK: Decoding

    private static func decode(
        _ text: Span<UInt8>,
        to bytes: inout OutputSpan<UInt8>,
        _ entries: inout [Entry],
    ) throws(FormError) {
        var start = 0
        while start < text.count {
            guard entries.count < maximumCount else { throw .tooManyParameters }
            let end = try decodeParameter(text, from: start, to: &bytes, &entries)
            start = end + 1
        }
    }

    /// Decodes the parameter that starts at `start` and returns the offset of the `&` after it.
    private static func decodeParameter(
        _ text: Span<UInt8>,
        from start: Int,
        to bytes: inout OutputSpan<UInt8>,
        _ entries: inout [Entry],
    ) throws(FormError) -> Int {
        let nameStart = bytes.count
        var valueStart: Int?
        // The union of all bytes: its top bit shows text beyond ASCII.
        var union: UInt8 = 0
        var index = start
        scan: while index < text.count {
            var byte = text[index]
            if !PercentCoding.isFormSign(byte) {
                union |= byte
                bytes.append(byte)
                index += 1
                continue
            }
            switch byte {
            case UInt8(ascii: "&"): break scan
            case UInt8(ascii: "=") where valueStart == nil:
                valueStart = bytes.count
                index += 1
                continue
            case UInt8(ascii: "+"): byte = UInt8(ascii: " ")
            case UInt8(ascii: "%"):
                guard index + 2 < text.count, let high = PercentCoding.hexValue(text[index + 1]),
                    let low = PercentCoding.hexValue(text[index + 2])
                else { throw .badPercentEncoding(offset: index) }
                byte = high << 4 | low
                index += 2
            default: break
            }
            union |= byte
            bytes.append(byte)
            index += 1
        }
        guard index > start else { return index }
        guard union < 0x80 || isUTF8(bytes.span.extracting(nameStart..<bytes.count)) else {
            throw .badUTF8(offset: start)
        }
        let valueEnd = bytes.count
        entries.append(Entry(name: nameStart..<(valueStart ?? valueEnd), value: (valueStart ?? valueEnd)..<valueEnd))
        return index
    }

    private static func isUTF8(_ bytes: Span<UInt8>) -> Bool {
        (try? UTF8Span(validating: bytes)) != nil
    }

    private static func equals(_ bytes: Span<UInt8>, _ range: Range<Int>, _ other: Span<UInt8>) -> Bool {
        guard range.count == other.count else { return false }
        for offset in other.indices where bytes[range.lowerBound + offset] != other[offset] { return false }
        return true
    }

    private static func precedes(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        for (first, second) in zip(left, right) where bytes[first] != bytes[second] {
            return bytes[first] < bytes[second]
        }
        return left.count < right.count
    }
}
