// SPDX-License-Identifier: Apache-2.0

/// A header field of a request.
package struct HTTPField: Equatable, Sendable {
    /// The name, of either case.
    package var name: String
    /// The value as it is sent.
    package var value: String

    /// Creates a field.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
