// SPDX-License-Identifier: Apache-2.0

/// Temporary credentials of a RAM role for a token of an OIDC provider, as pods of ACK clusters have one in a file.
///
/// Source: default credential chain of the official SDKs, second step; STS reference, AssumeRoleWithOIDC.
package struct OIDCRoleCredentials: CredentialsSource {
    private let environment: [String: String]
    private let read: CredentialsFile.Reader
    private let epochSeconds: @Sendable () -> Int
    private let ask: CredentialsRequest.Asker

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - environment: The variables by name.
    ///   - read: Reads the token's file, each time anew: the cluster replaces it.
    ///   - epochSeconds: Tells the time in seconds since 1970-01-01T00:00:00Z.
    ///   - ask: Asks the security token service.
    package init(
        environment: [String: String],
        read: @escaping CredentialsFile.Reader,
        epochSeconds: @escaping @Sendable () -> Int,
        ask: @escaping CredentialsRequest.Asker,
    ) {
        self.environment = environment
        self.read = read
        self.epochSeconds = epochSeconds
        self.ask = ask
    }

    package var name: String { "OIDC role" }

    package func credentials() throws(CredentialsUnavailable) -> Credentials {
        let role = try value("ALIBABA_CLOUD_ROLE_ARN")
        let provider = try value("ALIBABA_CLOUD_OIDC_PROVIDER_ARN")
        let path = try value("ALIBABA_CLOUD_OIDC_TOKEN_FILE")
        let content = try CredentialsFile.first(of: [path], read).content
        let token = Array(content.prefix { $0 > 0x20 })
        guard !token.isEmpty else { throw CredentialsUnavailable(reason: "\(path) is empty") }
        // As a form, which unlike an address no proxy and no log of the service keeps.
        var request = CredentialsRequest(method: .post, origin: "https://\(host)", target: "/", timeout: 10)
        let session = environment.nonEmpty("ALIBABA_CLOUD_ROLE_SESSION_NAME") ?? "smspipe-\(epochSeconds())"
        for (name, text) in [
            ("Action", "AssumeRoleWithOIDC"), ("Format", "JSON"), ("Version", "2015-04-01"),
            ("Timestamp", CivilTime(epochSeconds: epochSeconds()).iso8601), ("DurationSeconds", "3600"),
            ("RoleArn", role), ("OIDCProviderArn", provider), ("RoleSessionName", session),
        ] {
            Self.append(name, text.utf8.span, to: &request.form)
        }
        Self.append("OIDCToken", token.span, to: &request.form)
        return try ask(request).credentials(in: "Credentials")
    }

    private func value(_ name: String) throws(CredentialsUnavailable) -> String {
        guard let value = environment.nonEmpty(name) else {
            throw CredentialsUnavailable(reason: "\(name) is not set")
        }
        return value
    }

    /// The host of the security token service: that of a region, inside its network if that is asked for.
    private var host: String {
        guard let region = environment.nonEmpty("ALIBABA_CLOUD_STS_REGION") else { return "sts.aliyuncs.com" }
        let service = environment.isTrue("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED") ? "sts-vpc" : "sts"
        return "\(service).\(region).aliyuncs.com"
    }

    private static func append(_ name: String, _ text: Span<UInt8>, to form: inout [UInt8]) {
        if !form.isEmpty { form.append(UInt8(ascii: "&")) }
        form.append(contentsOf: name.utf8)
        form.append(UInt8(ascii: "="))
        PercentEncoding.append(text, to: &form)
    }
}
