// SPDX-License-Identifier: Apache-2.0

/// The service that gives out temporary credentials of RAM roles.
///
/// Source: STS reference, AssumeRole and AssumeRoleWithOIDC; where what travels, as the official SDKs have it. What is secret
/// goes into the form, as addresses are kept in logs.
package struct SecurityTokenService: Sendable {
    /// A role, and how it is to be taken on.
    struct Role: Sendable {
        /// The role's name in full, `acs:ram::…:role/…`.
        var arn: String
        /// What the session is called in the account's records; `nil` for a name of ours.
        var sessionName: String?
        /// How long the credentials last, in seconds; `nil` for an hour.
        var durationSeconds: String?
        /// What narrows the role's permissions.
        var policy: String?
        /// What the role's owner wants to be told.
        var externalID: String?
        /// The region whose service is asked; `nil` for that of the environment.
        var region: String?
        /// Whether the service is asked inside a VPC, whatever the environment says.
        var isInsideVPC = false
    }

    private let environment: [String: String]
    private let epochSeconds: @Sendable () -> Int
    private let nonce: @Sendable () -> Nonce
    private let ask: CredentialsRequest.Asker

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - environment: The variables by name; they choose the service's address and name sessions.
    ///   - epochSeconds: Tells the time in seconds since 1970-01-01T00:00:00Z.
    ///   - nonce: Makes a value that no other request has.
    ///   - ask: Asks the service.
    package init(
        environment: [String: String],
        epochSeconds: @escaping @Sendable () -> Int,
        nonce: @escaping @Sendable () -> Nonce,
        ask: @escaping CredentialsRequest.Asker,
    ) {
        self.environment = environment
        self.epochSeconds = epochSeconds
        self.nonce = nonce
        self.ask = ask
    }

    /// Takes on a role with the permission of other credentials.
    ///
    /// - Parameters:
    ///   - role: The role.
    ///   - credentials: Who takes it on.
    /// - Returns: Its credentials.
    /// - Throws: ``CredentialsUnavailable``.
    func assume(_ role: Role, by credentials: Credentials) throws(CredentialsUnavailable) -> Credentials {
        var query = EncodedParameters()
        query.append("AccessKeyId", credentials.accessKeyID)
        query.append("Action", "AssumeRole")
        query.append("Format", "JSON")
        if let token = credentials.securityToken { query.append("SecurityToken", token.revealed) }
        query.append("SignatureMethod", "HMAC-SHA1")
        query.append("SignatureNonce", nonce().text)
        query.append("SignatureVersion", "1.0")
        appendCommon(to: &query)
        var form = EncodedParameters()
        form.append("DurationSeconds", role.durationSeconds ?? Self.defaultDuration)
        if let externalID = role.externalID { form.append("ExternalId", externalID) }
        if let policy = role.policy { form.append("Policy", policy) }
        append(role, to: &form)
        var signer = V1Signer(accessKeySecret: credentials.accessKeySecret)
        var signature = EncodedParameters()
        signature.append("Signature", signer.sign(method: .post, query: query, form: form))
        return try ask(role, query.bytes + [UInt8(ascii: "&")] + signature.bytes, form)
    }

    /// Takes on a role with the token of an OIDC provider; nothing is signed.
    ///
    /// - Parameters:
    ///   - role: The role.
    ///   - token: The token.
    ///   - provider: The provider's name in full.
    /// - Returns: The role's credentials.
    /// - Throws: ``CredentialsUnavailable``.
    func assume(
        _ role: Role,
        byToken token: Secret,
        of provider: String,
    ) throws(CredentialsUnavailable) -> Credentials {
        var query = EncodedParameters()
        query.append("Action", "AssumeRoleWithOIDC")
        query.append("Format", "JSON")
        appendCommon(to: &query)
        var form = EncodedParameters()
        form.append("DurationSeconds", role.durationSeconds ?? Self.defaultDuration)
        form.append("OIDCProviderArn", provider)
        form.append("OIDCToken", token.revealed)
        if let policy = role.policy { form.append("Policy", policy) }
        append(role, to: &form)
        return try ask(role, query.bytes, form)
    }

    private static let defaultDuration = "3600"

    private func appendCommon(to query: inout EncodedParameters) {
        query.append("Timestamp", CivilTime(epochSeconds: epochSeconds()).iso8601)
        query.append("Version", "2015-04-01")
    }

    private func append(_ role: Role, to form: inout EncodedParameters) {
        form.append("RoleArn", role.arn)
        let name = role.sessionName ?? environment.nonEmpty("ALIBABA_CLOUD_ROLE_SESSION_NAME")
        form.append("RoleSessionName", name ?? "smspipe-\(epochSeconds())")
    }

    private func ask(
        _ role: Role,
        _ query: [UInt8],
        _ form: EncodedParameters,
    ) throws(CredentialsUnavailable) -> Credentials {
        var request = CredentialsRequest(
            method: .post,
            origin: "https://\(host(role))",
            target: "/?\(String(decoding: query, as: UTF8.self))",
            timeout: 15,
        )
        request.form = form.bytes
        return try ask(request).credentials(in: "Credentials")
    }

    private func host(_ role: Role) -> String {
        guard let region = role.region ?? environment.nonEmpty("ALIBABA_CLOUD_STS_REGION") else {
            return "sts.aliyuncs.com"
        }
        let isInsideVPC = role.isInsideVPC || environment.isTrue("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED")
        return "\(isInsideVPC ? "sts-vpc" : "sts").\(region).aliyuncs.com"
    }
}
