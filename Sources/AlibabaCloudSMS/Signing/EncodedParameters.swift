// SPDX-License-Identifier: Apache-2.0

/// The parameters of a query or a form, already percent-encoded, in the order of their names.
///
/// They stand in one buffer, `name=value` joined by `&`: the bytes of a form body or of a canonical query as they are
/// sent and hashed. The signers read the parts from it, so nothing is encoded or copied a second time.
package struct EncodedParameters: Equatable, Sendable {
    /// Where one parameter stands.
    package struct Entry: Equatable, Sendable {
        /// The encoded name within ``EncodedParameters/bytes``.
        package let name: Range<Int>
        /// The encoded value within ``EncodedParameters/bytes``; may be empty.
        package let value: Range<Int>
    }

    /// All parameters, `name=value` joined by `&`.
    package private(set) var bytes: [UInt8] = []
    /// Where the parameters stand, in ascending order of the names.
    package private(set) var entries: [Entry] = []

    /// Creates an empty list of parameters.
    package init() {}

    /// Whether there is no parameter.
    package var isEmpty: Bool { entries.isEmpty }

    /// Appends a parameter whose value is written in encoded form.
    ///
    /// - Parameters:
    ///   - name: The name as it is before encoding; it must follow those before in byte order.
    ///   - writeEncoded: Appends the percent-encoded value to the buffer and leaves what stands there alone.
    package mutating func append(_ name: String, writeEncoded: (inout [UInt8]) -> Void) {
        if !entries.isEmpty { bytes.append(UInt8(ascii: "&")) }
        let start = bytes.count
        PercentEncoding.append(name.utf8.span, to: &bytes)
        let end = bytes.count
        if let last = entries.last {
            precondition(
                precedes(last.name, bytes, start..<end),
                "parameters must be appended in ascending order of their names",
            )
        }
        bytes.append(UInt8(ascii: "="))
        writeEncoded(&bytes)
        precondition(bytes.count > end, "the value's writer took bytes away")
        entries.append(Entry(name: start..<end, value: (end + 1)..<bytes.count))
    }

    /// Appends a parameter.
    ///
    /// - Parameters:
    ///   - name: The name; it must follow those before in byte order.
    ///   - value: The value before encoding.
    package mutating func append(_ name: String, _ value: Span<UInt8>) {
        append(name) { PercentEncoding.append(value, to: &$0) }
    }

    /// Appends a parameter.
    ///
    /// - Parameters:
    ///   - name: The name; it must follow those before in byte order.
    ///   - value: The value before encoding.
    package mutating func append(_ name: String, _ value: String) {
        append(name) { PercentEncoding.append(value.utf8.span, to: &$0) }
    }

    /// Removes all parameters and keeps the buffer for the next ones.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }

    /// Returns these parameters and others together, in order.
    ///
    /// - Parameter other: Parameters of which none has a name that is here too.
    /// - Returns: The merged parameters.
    /// - Complexity: O(*n*) in the bytes of both.
    package func merging(_ other: EncodedParameters) -> EncodedParameters {
        var merged = EncodedParameters()
        merged.bytes.reserveCapacity(bytes.count + other.bytes.count + 1)
        merged.entries.reserveCapacity(entries.count + other.entries.count)
        forEachMerged(with: other) { source, entry in
            if !merged.entries.isEmpty { merged.bytes.append(UInt8(ascii: "&")) }
            let shift = merged.bytes.count - entry.name.lowerBound
            merged.bytes.append(contentsOf: source.bytes[entry.name.lowerBound..<entry.value.upperBound])
            merged.entries.append(
                Entry(
                    name: entry.name.lowerBound + shift..<entry.name.upperBound + shift,
                    value: entry.value.lowerBound + shift..<entry.value.upperBound + shift,
                )
            )
        }
        return merged
    }

    /// Calls a function with each parameter of two lists, in the order of the names.
    ///
    /// - Parameters:
    ///   - other: Parameters of which none has a name that is here too.
    ///   - body: Takes the list that holds the parameter, and where it stands there.
    func forEachMerged(with other: EncodedParameters, _ body: (EncodedParameters, Entry) -> Void) {
        var index = 0
        var otherIndex = 0
        while index < entries.count || otherIndex < other.entries.count {
            let isOwn =
                otherIndex == other.entries.count
                || index < entries.count
                    && precedes(entries[index].name, other.bytes, other.entries[otherIndex].name)
            if isOwn {
                body(self, entries[index])
                index += 1
            } else {
                body(other, other.entries[otherIndex])
                otherIndex += 1
            }
        }
    }

    /// Whether a name stands before another one.
    ///
    /// Encoded names sort as names do as long as they are ASCII letters, and those of the service are.
    private func precedes(_ name: Range<Int>, _ otherBytes: [UInt8], _ otherName: Range<Int>) -> Bool {
        bytes[name].lexicographicallyPrecedes(otherBytes[otherName])
    }
}
