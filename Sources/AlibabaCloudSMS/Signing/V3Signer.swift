// SPDX-License-Identifier: Apache-2.0

/// Signs requests with `ACS3-HMAC-SHA256`.
///
/// Source: "V3 request structure and signature".
package struct V3Signer: ~Copyable {
    /// A signature and what went into it.
    package struct Signature: Equatable, Sendable {
        /// The canonical request.
        package let canonicalRequest: [UInt8]
        /// The names of the signed headers, joined by `;`.
        package let signedHeaders: String
        /// The SHA-256 of the canonical request in lower-case hexadecimal.
        package let hashedCanonicalRequest: String
        /// The signature in lower-case hexadecimal.
        package let signature: String
        /// The value of the `Authorization` header.
        package let authorization: String

        /// The text that the secret signed.
        package var stringToSign: String { "\(V3Signer.algorithm)\n\(hashedCanonicalRequest)" }
    }

    /// The algorithm's name in the `Authorization` header.
    package static let algorithm = "ACS3-HMAC-SHA256"

    private let accessKeyID: String
    private var digest: Digest
    private var hmac: HMAC

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

    /// Returns the SHA-256 of a body in lower-case hexadecimal, the value of `x-acs-content-sha256`.
    ///
    /// - Parameter body: The exact bytes that are sent; may be empty.
    /// - Returns: 64 digits.
    /// - Complexity: O(*n*) in the body's bytes.
    package mutating func hashedPayload(_ body: Span<UInt8>) -> String {
        digest.update(body)
        return finishDigest()
    }

    /// Signs a request to the path `/`.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - canonicalQuery: The encoded query in the order of the names, such as ``EncodedParameters/bytes``.
    ///   - headers: The headers to sign, in any order and case: `host`, `content-type` if there is a body, every
    ///     `x-acs-…`. Values of fields with the same name are sorted and joined by a comma.
    ///   - hashedPayload: The value of `x-acs-content-sha256`.
    /// - Returns: The signature.
    package mutating func sign(
        method: HTTPMethod,
        canonicalQuery: Span<UInt8>,
        headers: [HTTPField],
        hashedPayload: String,
    ) -> Signature {
        let canonicalFields = Self.canonicalFields(headers)
        let signedHeaders = canonicalFields.map(\.name).joined(separator: ";")

        var request: [UInt8] = []
        request.reserveCapacity(1_024 + canonicalQuery.count)
        request.append(contentsOf: method.rawValue.utf8)
        request.append(contentsOf: "\n/\n".utf8)
        request.append(addingCapacity: canonicalQuery.count) { output in
            for index in canonicalQuery.indices { output.append(canonicalQuery[index]) }
        }
        request.append(UInt8(ascii: "\n"))
        for field in canonicalFields {
            request.append(contentsOf: field.name.utf8)
            request.append(UInt8(ascii: ":"))
            request.append(contentsOf: field.value.utf8)
            request.append(UInt8(ascii: "\n"))
        }
        request.append(UInt8(ascii: "\n"))
        request.append(contentsOf: signedHeaders.utf8)
        request.append(UInt8(ascii: "\n"))
        request.append(contentsOf: hashedPayload.utf8)

        digest.update(request.span)
        let hashedRequest = finishDigest()
        let stringToSign = "\(Self.algorithm)\n\(hashedRequest)"
        hmac.update(stringToSign.utf8.span)
        var signatureBytes: [UInt8] = []
        hmac.finish(appendingTo: &signatureBytes)
        let signature = Self.hexadecimal(signatureBytes)
        return Signature(
            canonicalRequest: request,
            signedHeaders: signedHeaders,
            hashedCanonicalRequest: hashedRequest,
            signature: signature,
            authorization:
                "\(Self.algorithm) Credential=\(accessKeyID),SignedHeaders=\(signedHeaders),Signature=\(signature)",
        )
    }

    private mutating func finishDigest() -> String {
        var bytes: [UInt8] = []
        digest.finish(appendingTo: &bytes)
        return Self.hexadecimal(bytes)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.count * 2)
        Hexadecimal.append(bytes.span, to: &digits)
        return String(decoding: digits, as: UTF8.self)
    }

    /// The headers as the canonical request has them: names in lower case and sorted, each once, values without blanks
    /// around them.
    private static func canonicalFields(_ headers: [HTTPField]) -> [HTTPField] {
        var fields = headers.map { HTTPField($0.name.lowercased(), trimming($0.value)) }
        fields.sort { ($0.name, $0.value) < ($1.name, $1.value) }
        var joined: [HTTPField] = []
        joined.reserveCapacity(fields.count)
        for field in fields {
            if let last = joined.indices.last, joined[last].name == field.name {
                joined[last].value += ",\(field.value)"
            } else {
                joined.append(field)
            }
        }
        return joined
    }

    private static func trimming(_ value: String) -> String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = value.utf8.first, let last = value.utf8.last, isBlank(first) || isBlank(last) else {
            return value
        }
        let start = value.utf8.firstIndex { !isBlank($0) } ?? value.utf8.endIndex
        let rest = value[start...]
        let end = rest.utf8.lastIndex { !isBlank($0) }.map(value.utf8.index(after:)) ?? start
        return String(value[start..<end])
    }
}
