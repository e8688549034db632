// SPDX-License-Identifier: Apache-2.0

/// A request as it goes on the wire, and what its signature was made of.
package struct SignedRequest: Sendable {
    /// What the gateway's own computation can be compared with when it refuses a signature.
    package enum Evidence: Sendable {
        /// The digest that ends the text that a V3 signature signed.
        case v3(hashedCanonicalRequest: DigestValue)
        /// The parameters that a V1 signature covers: its text is longer than all of them.
        case v1(method: HTTPMethod, query: EncodedParameters, form: EncodedParameters)
        /// Nothing, as a queue does not say what it would have signed.
        case queue

        /// The text that was signed.
        ///
        /// - Complexity: O(*n*) in the bytes of the body for V1, which signs all of them.
        package var stringToSign: [UInt8] {
            switch self {
            case .v3(let hash):
                var text: [UInt8] = []
                V3Signer.appendStringToSign(hash, to: &text)
                return text
            case .v1(let method, let query, let form):
                return V1Signer.stringToSign(method: method, query: query, form: form)
            case .queue: return []
            }
        }
    }

    /// The request line, the header fields and the empty line after them.
    package let head: [UInt8]
    /// The body; empty where everything is in the query.
    package let body: [UInt8]
    /// What was signed.
    package let evidence: Evidence
}

/// The method of a request.
package enum HTTPMethod: String, Equatable, Sendable {
    /// Every parameter is in the query.
    case get = "GET"
    /// Parameters may be in the query and in a form body.
    case post = "POST"
}
