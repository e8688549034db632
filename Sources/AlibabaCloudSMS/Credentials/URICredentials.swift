// SPDX-License-Identifier: Apache-2.0

/// Temporary credentials that a program of the user's own serves, at the address in `ALIBABA_CLOUD_CREDENTIALS_URI`.
///
/// Source: default credential chain of the official SDKs, sixth step; their times for connecting and reading.
package struct URICredentials: CredentialsSource {
    private let environment: [String: String]
    private let ask: CredentialsRequest.Asker

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - environment: The variables by name.
    ///   - ask: Asks the address.
    package init(environment: [String: String], ask: @escaping CredentialsRequest.Asker) {
        self.environment = environment
        self.ask = ask
    }

    package var name: String { "credentials URI" }

    package func credentials() throws(CredentialsUnavailable) -> Credentials {
        guard let address = environment.nonEmpty(Self.variable) else {
            throw CredentialsUnavailable(reason: "\(Self.variable) is not set")
        }
        guard let request = Self.request(address) else {
            throw CredentialsUnavailable(reason: "\(Self.variable) is no address such as http://127.0.0.1:8080/path")
        }
        return try ask(request).credentials()
    }

    private static let variable = "ALIBABA_CLOUD_CREDENTIALS_URI"

    private static func request(_ address: String) -> CredentialsRequest? {
        // What stands behind a # is for who reads the answer.
        let address = address.prefix { $0 != "#" }
        guard address.utf8.allSatisfy({ 0x21...0x7E ~= $0 }),
            address.lowercased().hasPrefix("http://") || address.lowercased().hasPrefix("https://")
        else { return nil }
        let host = address.drop { $0 != ":" }.dropFirst("://".count)
        let target = host.drop { $0 != "/" && $0 != "?" }
        return CredentialsRequest(
            method: .get,
            origin: String(address[..<target.startIndex]),
            target: target.hasPrefix("/") ? String(target) : "/\(target)",
            timeout: 15,
        )
    }
}
