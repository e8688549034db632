// SPDX-License-Identifier: Apache-2.0

/// The header fields that a V3 signature covers, written at once as they travel and as they are signed.
package struct SignedFields: Sendable {
    /// Where the value of a field stands.
    package struct Place: Sendable {
        fileprivate let line: Int
        fileprivate let canonical: Int
        fileprivate let count: Int
    }

    /// The fields as they travel, `name: value` and a line break each, without `host`.
    package private(set) var lines: [UInt8] = []
    /// The same of `host`, which travels first; empty if there is none.
    ///
    /// Source: RFC 9112, section 3.2.
    package private(set) var hostLine: [UInt8] = []
    /// The fields as the canonical request has them, `name:value` and a line feed each, in the order of the names.
    package private(set) var canonical: [UInt8] = []
    /// Their names, joined by `;`.
    package private(set) var names: [UInt8] = []
    private var last = ""

    /// Creates an empty list.
    package init() {}

    /// Appends a field.
    ///
    /// - Parameters:
    ///   - name: The name in lower case; it must follow those before in byte order.
    ///   - value: The value, without blanks around it.
    /// - Returns: Where the value stands; of no use for `host`.
    @discardableResult
    package mutating func append(_ name: String, _ value: Span<UInt8>) -> Place {
        precondition(last < name, "header fields must be appended in ascending order of their names")
        if !names.isEmpty { names.append(UInt8(ascii: ";")) }
        names.append(contentsOf: name.utf8)
        last = name
        if name == "host" {
            Self.append(name, ": ", value, "\r\n", to: &hostLine)
        } else {
            Self.append(name, ": ", value, "\r\n", to: &lines)
        }
        Self.append(name, ":", value, "\n", to: &canonical)
        return Place(
            line: lines.count - value.count - 2,
            canonical: canonical.count - value.count - 1,
            count: value.count,
        )
    }

    /// Appends a field.
    ///
    /// - Parameters:
    ///   - name: The name in lower case; it must follow those before in byte order.
    ///   - value: The value, without blanks around it.
    package mutating func append(_ name: String, _ value: String) {
        append(name, value.utf8.span)
    }

    /// Puts another value of the same length into a field's place.
    package mutating func replace(_ place: Place, with value: Span<UInt8>) {
        precondition(value.count == place.count, "a value of another length does not fit")
        Self.overwrite(&lines, at: place.line, with: value)
        Self.overwrite(&canonical, at: place.canonical, with: value)
    }

    private static func overwrite(_ text: inout [UInt8], at start: Int, with value: Span<UInt8>) {
        var text = text.mutableSpan
        for index in value.indices { text[start + index] = value[index] }
    }

    private static func append(
        _ name: String,
        _ separator: String,
        _ value: Span<UInt8>,
        _ end: String,
        to text: inout [UInt8],
    ) {
        text.append(contentsOf: name.utf8)
        text.append(contentsOf: separator.utf8)
        text.append(value)
        text.append(contentsOf: end.utf8)
    }
}

extension [UInt8] {
    /// Appends bytes.
    mutating func append(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
