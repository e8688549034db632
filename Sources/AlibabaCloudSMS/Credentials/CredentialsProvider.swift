// SPDX-License-Identifier: Apache-2.0

/// Gets the credentials that a profile of one of the files describes: the key that stands in it, or those of a role.
///
/// The two files differ in the names of their values, and in what they call the ways.
struct CredentialsProvider: Sendable {
    let environment: [String: String]
    let read: CredentialsFile.Reader
    let service: SecurityTokenService
    let ask: CredentialsRequest.Asker

    /// How a profile says that credentials are got.
    enum Way {
        /// By a key that stands in the profile.
        case accessKey
        /// By a temporary key that stands in it.
        case securityToken
        /// By taking on a role, with the key that stands in the profile or other credentials.
        case role(by: Credentials?)
        /// By taking on a role with the token of an OIDC provider.
        case oidcRole
        /// From the metadata service of the instance.
        case instanceRole
    }

    /// What a file calls the values that the two call differently.
    struct Names {
        /// A role's name in full.
        let role: String
        /// The session's name; the first one that is there counts.
        let sessions: [String]
        /// The path of the OIDC token.
        let tokenFile: String
        /// The name of the instance's role.
        let instanceRole: String
    }

    /// A profile's values.
    struct Profile {
        /// What the profile is called in a message.
        let name: String
        /// What its file calls them.
        let names: Names
        /// The value with a name; `nil` where there is none.
        let text: (String) -> String?

        /// The value with a name that is not empty.
        func value(_ name: String) -> String? {
            text(name).flatMap { $0.isEmpty ? nil : $0 }
        }

        func required(_ name: String) throws(CredentialsUnavailable) -> String {
            guard let value = value(name) else {
                throw CredentialsUnavailable(reason: "\(name) in \(self.name) is not set")
            }
            return value
        }
    }

    /// Gets a profile's credentials.
    ///
    /// - Parameters:
    ///   - profile: The profile.
    ///   - way: How it says that they are got.
    /// - Returns: The credentials; temporary ones of a role with their end.
    /// - Throws: ``CredentialsUnavailable``.
    func credentials(_ profile: Profile, _ way: Way) throws(CredentialsUnavailable) -> Credentials {
        switch way {
        case .accessKey:
            return try key(profile, hasToken: false)
        case .securityToken:
            let credentials = try key(profile, hasToken: true)
            guard credentials.securityToken != nil else {
                throw CredentialsUnavailable(reason: "sts_token in \(profile.name) is not set")
            }
            return credentials
        case .role(let credentials):
            let role = try role(profile)
            let assuming: Credentials
            if let credentials { assuming = credentials } else { assuming = try key(profile, hasToken: true) }
            return try service.assume(role, by: assuming)
        case .oidcRole:
            let token = try OIDCRoleCredentials.token(in: try profile.required(profile.names.tokenFile), read)
            let provider = try profile.required("oidc_provider_arn")
            return try service.assume(try role(profile), byToken: token, of: provider)
        case .instanceRole:
            return try MetadataService(environment: environment, ask: ask).credentials(
                ofRole: profile.value(profile.names.instanceRole)
            )
        }
    }

    private func key(_ profile: Profile, hasToken: Bool) throws(CredentialsUnavailable) -> Credentials {
        try Credentials(
            accessKeyID: ("access_key_id in \(profile.name)", profile.text("access_key_id")),
            accessKeySecret: ("access_key_secret in \(profile.name)", profile.text("access_key_secret")),
            securityToken: ("sts_token in \(profile.name)", hasToken ? profile.value("sts_token") : nil),
        )
    }

    private func role(_ profile: Profile) throws(CredentialsUnavailable) -> SecurityTokenService.Role {
        var role = SecurityTokenService.Role(arn: try profile.required(profile.names.role))
        role.sessionName = profile.names.sessions.lazy.compactMap(profile.value).first
        role.durationSeconds = profile.value("expired_seconds").flatMap { $0 == "0" ? nil : $0 }
        role.policy = profile.value("policy")
        role.externalID = profile.value("external_id")
        role.region = profile.value("sts_region")
        role.isInsideVPC = profile.value("enable_vpc")?.lowercased() == "true"
        return role
    }
}
