// SPDX-License-Identifier: Apache-2.0

/// Credentials in environment variables.
///
/// Source: default credential chain of the official SDKs, first step.
package struct EnvironmentCredentials: CredentialsSource {
    private let environment: [String: String]

    /// Creates a source.
    ///
    /// - Parameter environment: The variables by name.
    package init(environment: [String: String]) {
        self.environment = environment
    }

    package var name: String { "environment variables" }

    package func credentials() throws(CredentialsUnavailable) -> Credentials {
        let value = { (name: String) in (name: name, text: environment[name]) }
        return try Credentials(
            accessKeyID: value("ALIBABA_CLOUD_ACCESS_KEY_ID"),
            accessKeySecret: value("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
            securityToken: value("ALIBABA_CLOUD_SECURITY_TOKEN"),
        )
    }
}
