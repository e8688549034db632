// SPDX-License-Identifier: Apache-2.0

/// The signed fields of V3 requests that leave in the same second and ask for the same: they differ in payload and nonce only.
struct V3Fields {
    private let action: Action
    private let hasForm: Bool
    private let host: String
    private let epochSeconds: Int
    private(set) var fields = SignedFields()
    private let payloadPlace: SignedFields.Place
    private let noncePlace: SignedFields.Place

    /// Signs only what must be signed, so that a proxy that rewrites other headers breaks nothing.
    ///
    /// - Parameters:
    ///   - call: What is asked.
    ///   - host: The endpoint as the `Host` header names it.
    ///   - epochSeconds: The time.
    ///   - credentials: Who signs.
    ///   - hashedPayload: The value of `x-acs-content-sha256`.
    ///   - nonce: The value of `x-acs-signature-nonce`.
    init(
        _ call: Call,
        host: String,
        at epochSeconds: Int,
        credentials: Credentials,
        hashedPayload: Span<UInt8>,
        nonce: Span<UInt8>,
    ) {
        action = call.action
        hasForm = !call.form.isEmpty
        self.host = host
        self.epochSeconds = epochSeconds
        if hasForm { fields.append("content-type", RequestSigner.formContentType) }
        fields.append("host", host)
        if credentials.securityToken != nil { fields.append("x-acs-accesskey-id", credentials.accessKeyID) }
        fields.append("x-acs-action", action.name)
        payloadPlace = fields.append("x-acs-content-sha256", hashedPayload)
        fields.append("x-acs-date", CivilTime(epochSeconds: epochSeconds).iso8601)
        if let securityToken = credentials.securityToken {
            fields.append("x-acs-security-token", securityToken.revealed)
        }
        noncePlace = fields.append("x-acs-signature-nonce", nonce)
        fields.append("x-acs-version", action.version)
    }

    /// Whether the fields serve a call once payload and nonce are replaced.
    func serve(_ call: Call, host: String, at epochSeconds: Int) -> Bool {
        self.epochSeconds == epochSeconds && hasForm != call.form.isEmpty && action == call.action && self.host == host
    }

    /// Takes the next request's payload and nonce.
    mutating func replace(hashedPayload: Span<UInt8>, nonce: Span<UInt8>) {
        fields.replace(payloadPlace, with: hashedPayload)
        fields.replace(noncePlace, with: nonce)
    }
}
