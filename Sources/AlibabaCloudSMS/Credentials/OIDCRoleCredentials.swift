// SPDX-License-Identifier: Apache-2.0

/// Temporary credentials of a RAM role for a token of an OIDC provider, as pods of ACK clusters have one in a file.
///
/// Source: default credential chain of the official SDKs, second step.
package struct OIDCRoleCredentials: CredentialsSource {
    private let environment: [String: String]
    private let read: CredentialsFile.Reader
    private let service: SecurityTokenService

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - environment: The variables by name.
    ///   - read: Reads the token's file, each time anew: the cluster replaces it.
    ///   - service: Gives out the role's credentials.
    package init(
        environment: [String: String],
        read: @escaping CredentialsFile.Reader,
        service: SecurityTokenService,
    ) {
        self.environment = environment
        self.read = read
        self.service = service
    }

    package var name: String { "OIDC role" }

    package func credentials() throws(CredentialsUnavailable) -> Credentials {
        let role = SecurityTokenService.Role(arn: try value("ALIBABA_CLOUD_ROLE_ARN"))
        let provider = try value("ALIBABA_CLOUD_OIDC_PROVIDER_ARN")
        let path = try value("ALIBABA_CLOUD_OIDC_TOKEN_FILE")
        return try service.assume(role, byToken: try Self.token(in: path, read), of: provider)
    }

    /// The token in a file, without what editors put behind it.
    static func token(in path: String, _ read: CredentialsFile.Reader) throws(CredentialsUnavailable) -> Secret {
        let content = try CredentialsFile.first(of: [path], read).content
        let token = content.prefix { $0 > 0x20 }
        guard !token.isEmpty else { throw CredentialsUnavailable(reason: "\(path) is empty") }
        return Secret(String(decoding: token, as: UTF8.self))
    }

    private func value(_ name: String) throws(CredentialsUnavailable) -> String {
        guard let value = environment.nonEmpty(name) else {
            throw CredentialsUnavailable(reason: "\(name) is not set")
        }
        return value
    }
}
