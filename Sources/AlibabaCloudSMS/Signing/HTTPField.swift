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

/// The method of a request.
package enum HTTPMethod: String, Equatable, Sendable {
    /// Every parameter is in the query.
    case get = "GET"
    /// Parameters may be in the query and in a form body.
    case post = "POST"
}
