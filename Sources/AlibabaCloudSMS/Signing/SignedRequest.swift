// SPDX-License-Identifier: Apache-2.0

/// A request as it goes on the wire, and what its signature was made of.
package struct SignedRequest: Sendable {
    /// What the gateway's own computation can be compared with.
    package enum Evidence: Sendable {
        /// A V3 signature with its canonical request.
        case v3(V3Signer.Signature)
        /// The parameters that a V1 signature covers.
        case v1(method: HTTPMethod, query: EncodedParameters, form: EncodedParameters)
    }

    /// The method.
    package let method: HTTPMethod
    /// The request target: the path with the query.
    package let target: String
    /// All headers but `content-length`, `host` first.
    package let headers: [HTTPField]
    /// The body; empty where everything is in the query.
    package let body: [UInt8]
    /// What was signed.
    package let evidence: Evidence

    /// The text that was signed.
    ///
    /// - Complexity: O(*n*) in the bytes of the body for V1, which signs all of them.
    package var stringToSign: [UInt8] {
        switch evidence {
        case .v3(let signature): Array(signature.stringToSign.utf8)
        case .v1(let method, let query, let form): V1Signer.stringToSign(method: method, query: query, form: form)
        }
    }
}
