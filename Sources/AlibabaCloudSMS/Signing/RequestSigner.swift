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
    private var head: [UInt8] = []
    private var timestamp: (epochSeconds: Int, text: String)?
    private var v3Fields: V3Fields?
    private var hashedPayload: [UInt8] = []
    private var nonceText: [UInt8] = []

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
        switch scheme {
        case .v3: signV3(call, host: host, at: epochSeconds, nonce: nonce)
        case .v1: signV1(call, host: host, at: epochSeconds, nonce: nonce)
        }
    }

    /// The text of the time; made anew once a second.
    private mutating func timestamp(at epochSeconds: Int) -> String {
        if let timestamp, timestamp.epochSeconds == epochSeconds { return timestamp.text }
        let text = CivilTime(epochSeconds: epochSeconds).iso8601
        timestamp = (epochSeconds, text)
        return text
    }

    private mutating func signV3(_ call: Call, host: String, at epochSeconds: Int, nonce: Nonce) -> SignedRequest {
        hashedPayload.removeAll(keepingCapacity: true)
        v3.appendHash(of: call.form.bytes.span, to: &hashedPayload)
        nonceText.removeAll(keepingCapacity: true)
        nonce.append(to: &nonceText)
        let (hashedPayload, nonceText) = (hashedPayload, nonceText)
        if v3Fields?.serve(call, host: host, at: epochSeconds) == true {
            v3Fields?.replace(hashedPayload: hashedPayload.span, nonce: nonceText.span)
        } else {
            v3Fields = V3Fields(
                call,
                host: host,
                at: epochSeconds,
                credentials: credentials,
                hashedPayload: hashedPayload.span,
                nonce: nonceText.span,
            )
        }
        guard let fields = v3Fields?.fields else { preconditionFailure("no fields were prepared") }
        beginHead(call.method, query: call.query)
        head.append(contentsOf: fields.hostLine)
        head.append(contentsOf: fields.lines)
        head.append(contentsOf: "authorization: ".utf8)
        v3.appendAuthorization(
            method: call.method,
            canonicalQuery: call.query.bytes.span,
            fields: fields,
            hashedPayload: hashedPayload.span,
            to: &head,
        )
        head.append(contentsOf: "\r\n".utf8)
        endHead(bodyCount: call.form.bytes.count)
        guard let hash = v3.hashedCanonicalRequest else { preconditionFailure("nothing was signed") }
        return SignedRequest(head: head, body: call.form.bytes, evidence: .v3(hashedCanonicalRequest: hash))
    }

    private mutating func signV1(_ call: Call, host: String, at epochSeconds: Int, nonce: Nonce) -> SignedRequest {
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
        common.append("Timestamp", timestamp(at: epochSeconds))
        common.append("Version", call.action.version)
        let query = common.merging(call.query)

        var signature = EncodedParameters()
        signature.append("Signature", v1.sign(method: call.method, query: query, form: call.form))

        beginHead(call.method, query: query.merging(signature))
        head.append(contentsOf: "host: \(host)\r\n".utf8)
        if !call.form.isEmpty { head.append(contentsOf: "content-type: \(Self.formContentType)\r\n".utf8) }
        endHead(bodyCount: call.form.bytes.count)
        return SignedRequest(
            head: head,
            body: call.form.bytes,
            evidence: .v1(method: call.method, query: query, form: call.form),
        )
    }

    static let formContentType = "application/x-www-form-urlencoded"

    private mutating func beginHead(_ method: HTTPMethod, query: EncodedParameters) {
        head.removeAll(keepingCapacity: true)
        head.append(contentsOf: method.rawValue.utf8)
        head.append(contentsOf: (query.isEmpty ? " /" : " /?").utf8)
        head.append(contentsOf: query.bytes)
        head.append(contentsOf: " HTTP/1.1\r\n".utf8)
    }

    /// Asks for JSON answers, which is not signed, and tells the body's length.
    private mutating func endHead(bodyCount: Int) {
        head.append(contentsOf: "accept: application/json\r\ncontent-length: ".utf8)
        head.append(contentsOf: String(bodyCount).utf8)
        head.append(contentsOf: "\r\n\r\n".utf8)
    }
}
