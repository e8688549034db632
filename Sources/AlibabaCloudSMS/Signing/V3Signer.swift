// SPDX-License-Identifier: Apache-2.0

/// Signs requests with `ACS3-HMAC-SHA256`.
///
/// Source: "V3 request structure and signature".
package struct V3Signer: ~Copyable {
    /// The algorithm's name in the `Authorization` header.
    package static let algorithm = "ACS3-HMAC-SHA256"

    private let accessKeyID: String
    private var digest: Digest
    private var hmac: HMAC
    /// The last canonical request; its storage serves the next one.
    package private(set) var canonicalRequest: [UInt8] = []
    /// The digest of the last canonical request.
    package private(set) var hashedCanonicalRequest: DigestValue?
    /// The last string to sign; its storage serves the next one.
    package private(set) var stringToSign: [UInt8] = []

    /// Creates a signer for one access key.
    ///
    /// - Parameters:
    ///   - accessKeyID: The key's id, which the `Authorization` header names.
    ///   - accessKeySecret: The key's secret; nothing is appended to it in this scheme.
    package init(accessKeyID: String, accessKeySecret: Secret) {
        self.accessKeyID = accessKeyID
        digest = Digest(.sha256)
        hmac = HMAC(.sha256, key: accessKeySecret.revealedBytes.span)
    }

    /// Appends the SHA-256 of bytes in lower-case hexadecimal, for a body the value of `x-acs-content-sha256`.
    ///
    /// - Parameters:
    ///   - bytes: The exact bytes that are sent; may be empty.
    ///   - text: Where the 64 digits go.
    /// - Complexity: O(*n*) in the number of bytes.
    package mutating func appendHash(of bytes: Span<UInt8>, to text: inout [UInt8]) {
        digest.update(bytes)
        digest.finish().appendHexadecimal(to: &text)
    }

    /// Signs a request to the path `/` and appends the value of its `Authorization` header.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - canonicalQuery: The encoded query in the order of the names, such as ``EncodedParameters/bytes``.
    ///   - fields: The headers to sign: `host`, `content-type` if there is a body, every `x-acs-…`.
    ///   - hashedPayload: The value of `x-acs-content-sha256`.
    ///   - text: Where the authorization goes; its last 64 bytes are the signature.
    package mutating func appendAuthorization(
        method: HTTPMethod,
        canonicalQuery: Span<UInt8>,
        fields: borrowing SignedFields,
        hashedPayload: Span<UInt8>,
        to text: inout [UInt8],
    ) {
        canonicalRequest.removeAll(keepingCapacity: true)
        canonicalRequest.append(contentsOf: method.rawValue.utf8)
        canonicalRequest.append(contentsOf: "\n/\n".utf8)
        canonicalRequest.append(canonicalQuery)
        canonicalRequest.append(UInt8(ascii: "\n"))
        canonicalRequest.append(contentsOf: fields.canonical)
        canonicalRequest.append(UInt8(ascii: "\n"))
        canonicalRequest.append(contentsOf: fields.names)
        canonicalRequest.append(UInt8(ascii: "\n"))
        canonicalRequest.append(hashedPayload)
        digest.update(canonicalRequest)
        let hash = digest.finish()
        hashedCanonicalRequest = hash

        stringToSign.removeAll(keepingCapacity: true)
        Self.appendStringToSign(hash, to: &stringToSign)
        hmac.update(stringToSign)
        text.append(contentsOf: Self.algorithm.utf8)
        text.append(contentsOf: " Credential=".utf8)
        text.append(contentsOf: accessKeyID.utf8)
        text.append(contentsOf: ",SignedHeaders=".utf8)
        text.append(contentsOf: fields.names)
        text.append(contentsOf: ",Signature=".utf8)
        hmac.finish().appendHexadecimal(to: &text)
    }

    /// Appends what is signed of a canonical request.
    static func appendStringToSign(_ hashedCanonicalRequest: DigestValue, to text: inout [UInt8]) {
        text.append(contentsOf: algorithm.utf8)
        text.append(UInt8(ascii: "\n"))
        hashedCanonicalRequest.appendHexadecimal(to: &text)
    }
}
