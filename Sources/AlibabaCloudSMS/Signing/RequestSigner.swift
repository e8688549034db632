// SPDX-License-Identifier: Apache-2.0

/// Makes signed requests out of calls.
///
/// A pure function of its arguments: the time and the nonce come in. The contexts and buffers of earlier requests are
/// used again.
package struct RequestSigner: ~Copyable {
    private let scheme: SignatureScheme
    private let credentials: Credentials
    private var v3: V3Signer
    private var v1: V1Signer

    /// Creates a signer.
    ///
    /// - Parameters:
    ///   - scheme: How to sign.
    ///   - credentials: Who signs; for renewed credentials make another signer.
    package init(scheme: SignatureScheme, credentials: Credentials) {
        self.scheme = scheme
        self.credentials = credentials
        v3 = V3Signer(accessKeyID: credentials.accessKeyID, accessKeySecret: credentials.accessKeySecret)
        v1 = V1Signer(accessKeySecret: credentials.accessKeySecret)
    }

    /// Signs a call.
    ///
    /// - Parameters:
    ///   - call: What is asked.
    ///   - host: The endpoint exactly as the `Host` header names it, with the port if that has one.
    ///   - epochSeconds: The time in seconds since 1970-01-01T00:00:00Z; the gateway takes up to 15 minutes of
    ///     difference.
    ///   - nonce: A nonce that no other request has.
    /// - Returns: The request to send.
    /// - Complexity: O(*n*) in the bytes of the call.
    package mutating func sign(
        _ call: Call,
        host: String,
        at epochSeconds: Int,
        nonce: Nonce,
    ) -> SignedRequest {
        let timestamp = CivilTime(epochSeconds: epochSeconds).iso8601
        return switch scheme {
        case .v3: signV3(call, host: host, timestamp: timestamp, nonce: nonce)
        case .v1: signV1(call, host: host, timestamp: timestamp, nonce: nonce)
        }
    }

    /// Signs only what must be signed, so that a proxy that rewrites other headers breaks nothing.
    private mutating func signV3(_ call: Call, host: String, timestamp: String, nonce: Nonce) -> SignedRequest {
        let hashedPayload = v3.hashedPayload(call.form.bytes.span)
        var headers = [HTTPField("host", host)]
        if !call.form.isEmpty { headers.append(.formContentType) }
        headers.append(HTTPField("x-acs-action", call.action.name))
        headers.append(HTTPField("x-acs-content-sha256", hashedPayload))
        headers.append(HTTPField("x-acs-date", timestamp))
        headers.append(HTTPField("x-acs-signature-nonce", nonce.text))
        headers.append(HTTPField("x-acs-version", call.action.version))
        if let securityToken = credentials.securityToken {
            headers.append(HTTPField("x-acs-accesskey-id", credentials.accessKeyID))
            headers.append(HTTPField("x-acs-security-token", securityToken.revealed))
        }
        let signature = v3.sign(
            method: call.method,
            canonicalQuery: call.query.bytes.span,
            headers: headers,
            hashedPayload: hashedPayload,
        )
        headers.append(.acceptJSON)
        headers.append(HTTPField("authorization", signature.authorization))
        return SignedRequest(
            method: call.method,
            target: Self.target(call.query),
            headers: headers,
            body: call.form.bytes,
            evidence: .v3(signature),
        )
    }

    private mutating func signV1(_ call: Call, host: String, timestamp: String, nonce: Nonce) -> SignedRequest {
        var common = EncodedParameters()
        common.append("AccessKeyId", credentials.accessKeyID)
        common.append("Action", call.action.name)
        common.append("Format", "JSON")
        if let securityToken = credentials.securityToken {
            common.append("SecurityToken", securityToken.revealed)
        }
        common.append("SignatureMethod", "HMAC-SHA1")
        common.append("SignatureNonce", nonce.text)
        common.append("SignatureVersion", "1.0")
        common.append("Timestamp", timestamp)
        common.append("Version", call.action.version)
        let query = common.merging(call.query)

        var signature = EncodedParameters()
        signature.append("Signature", v1.sign(method: call.method, query: query, form: call.form))

        var headers = [HTTPField("host", host)]
        if !call.form.isEmpty { headers.append(.formContentType) }
        headers.append(.acceptJSON)
        return SignedRequest(
            method: call.method,
            target: Self.target(query.merging(signature)),
            headers: headers,
            body: call.form.bytes,
            evidence: .v1(method: call.method, query: query, form: call.form),
        )
    }

    private static func target(_ query: EncodedParameters) -> String {
        query.isEmpty ? "/" : "/?" + String(decoding: query.bytes, as: UTF8.self)
    }
}

extension HTTPField {
    fileprivate static let formContentType = HTTPField("content-type", "application/x-www-form-urlencoded")
    /// Asks for JSON answers; not signed.
    fileprivate static let acceptJSON = HTTPField("accept", "application/json")
}
