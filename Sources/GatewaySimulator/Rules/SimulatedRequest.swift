// SPDX-License-Identifier: Apache-2.0

/// One header of a request or of an answer.
package struct HeaderField: Equatable, Sendable {
    /// The name as it was sent.
    package var name: String
    /// The value without the blanks around it.
    package var value: String

    /// Creates a header from its name and value.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether the name is this one, given in lower case, whatever its own case.
    func isNamed(_ lowercased: String) -> Bool {
        let (bytes, wanted) = (name.utf8.span, lowercased.utf8.span)
        guard bytes.count == wanted.count else { return false }
        for index in bytes.indices where bytes[index] != wanted[index] {
            let isUpperCase = bytes[index] >= UInt8(ascii: "A") && bytes[index] <= UInt8(ascii: "Z")
            guard isUpperCase, bytes[index] | 0x20 == wanted[index] else { return false }
        }
        return true
    }
}

/// One HTTP request as the rules see it: bytes that were received, and nothing derived from them.
package struct SimulatedRequest: Equatable, Sendable {
    /// The method, such as `POST`.
    package var method: String
    /// The request target: path, and the query after `?`, still encoded.
    package var target: [UInt8]
    /// The headers in the order of the request.
    package var headers: [HeaderField]
    /// The body, whole.
    package var body: [UInt8]

    /// Creates a request from what was received.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - target: The path and, after `?`, the query, both still encoded.
    ///   - headers: The headers.
    ///   - body: The body's bytes.
    package init(method: String, target: [UInt8], headers: [HeaderField], body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// The path of the request target, still encoded.
    package var path: String {
        String(decoding: target[..<(queryStart ?? target.count)], as: UTF8.self)
    }

    /// The offset of the `?` in the request target; `nil` where there is no query.
    var queryStart: Int? { target.firstIndex(of: UInt8(ascii: "?")) }

    /// The value of the first header of a name, which is given in lower case; `nil` where there is none.
    package func header(_ name: String) -> String? {
        headers.first { $0.isNamed(name) }?.value
    }

    /// The parameters of the query and of a form body.
    ///
    /// - Throws: ``FormError`` for text that is no form encoding of UTF-8.
    func parameters() throws(FormError) -> ParameterList {
        let isForm = header("content-type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false
        return try ParameterList(
            query: target.span.extracting(query),
            form: isForm ? body.span : body.span.extracting(first: 0),
        )
    }

    /// The parameters of the query alone, whatever the body is.
    ///
    /// - Throws: ``FormError`` for text that is no form encoding of UTF-8.
    func queryParameters() throws(FormError) -> ParameterList {
        try ParameterList(query: target.span.extracting(query), form: body.span.extracting(first: 0))
    }

    private var query: Range<Int> { (queryStart.map { $0 + 1 } ?? target.count)..<target.count }
}
