// SPDX-License-Identifier: Apache-2.0

/// The header fields that a V3 signature covers, written at once as they travel and as they are signed.
///
/// The storage is used again for the next request.
package struct SignedFields: Sendable {
    /// The fields as they travel, `name: value` and a line break each; `host` first, where RFC 9112, section 3.2, wants it.
    package private(set) var lines: [UInt8] = []
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
    package mutating func append(_ name: String, _ value: Span<UInt8>) {
        precondition(last < name, "header fields must be appended in ascending order of their names")
        if !names.isEmpty { names.append(UInt8(ascii: ";")) }
        names.append(contentsOf: name.utf8)
        last = name
        canonical.append(contentsOf: name.utf8)
        canonical.append(UInt8(ascii: ":"))
        canonical.append(value)
        canonical.append(UInt8(ascii: "\n"))
        if name == "host" {
            var line = Array("host: ".utf8)
            line.append(value)
            line.append(contentsOf: "\r\n".utf8)
            lines.insert(contentsOf: line, at: 0)
        } else {
            lines.append(contentsOf: name.utf8)
            lines.append(contentsOf: ": ".utf8)
            lines.append(value)
            lines.append(contentsOf: "\r\n".utf8)
        }
    }

    /// Appends a field.
    ///
    /// - Parameters:
    ///   - name: The name in lower case; it must follow those before in byte order.
    ///   - value: The value, without blanks around it.
    package mutating func append(_ name: String, _ value: String) {
        append(name, value.utf8.span)
    }

    /// Removes all fields and keeps the storage.
    package mutating func removeAll() {
        lines.removeAll(keepingCapacity: true)
        canonical.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        last = ""
    }
}

extension [UInt8] {
    /// Appends bytes.
    mutating func append(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
