// SPDX-License-Identifier: Apache-2.0

/// Looks for credentials in one place after the other.
///
/// The first place that has some counts; whatever is wrong with a place, a half-set environment too, leads on to the
/// next.
package struct CredentialsChain: Sendable {
    /// Credentials, and where they were.
    package struct Found: Sendable {
        /// The credentials.
        package let credentials: Credentials
        /// The place; asked again, it renews them.
        package let source: any CredentialsSource
    }

    private let sources: [any CredentialsSource]

    /// Creates a chain.
    ///
    /// - Parameter sources: The places, the first one to be asked first.
    package init(_ sources: [any CredentialsSource]) {
        self.sources = sources
    }

    /// Creates the default chain, in the order of the SDKs: environment variables, OIDC role, the command line tool's profile,
    /// the SDKs' file, ECS role, credentials URI.
    ///
    /// - Parameters:
    ///   - environment: The variables by name.
    ///   - profile: The profile to take from the files; `nil` for that of `ALIBABA_CLOUD_PROFILE` or their default.
    ///   - read: Reads a file.
    ///   - epochSeconds: Tells the time in seconds since 1970-01-01T00:00:00Z.
    ///   - nonce: Makes a value that no other request has.
    ///   - ask: Asks another machine for temporary credentials; only where the environment or a profile says so.
    package init(
        environment: [String: String],
        profile: String? = nil,
        read: @escaping CredentialsFile.Reader,
        epochSeconds: @escaping @Sendable () -> Int,
        nonce: @escaping @Sendable () -> Nonce,
        ask: @escaping CredentialsRequest.Asker,
    ) {
        let service = SecurityTokenService(
            environment: environment,
            epochSeconds: epochSeconds,
            nonce: nonce,
            ask: ask,
        )
        let provider = CredentialsProvider(environment: environment, read: read, service: service, ask: ask)
        self.init([
            EnvironmentCredentials(environment: environment),
            OIDCRoleCredentials(environment: environment, read: read, service: service),
            CommandLineProfileCredentials(environment: environment, profile: profile, provider: provider),
            SectionFileCredentials(environment: environment, profile: profile, provider: provider),
            InstanceRoleCredentials(environment: environment, ask: ask),
            URICredentials(environment: environment, ask: ask),
        ])
    }

    /// Looks for credentials.
    ///
    /// - Returns: The first ones found.
    /// - Throws: ``CredentialsNotFound`` with each place's reason.
    package func find() throws(CredentialsNotFound) -> Found {
        var attempts: [CredentialsNotFound.Attempt] = []
        for source in sources {
            do throws(CredentialsUnavailable) {
                return Found(credentials: try source.credentials(), source: source)
            } catch {
                attempts.append(CredentialsNotFound.Attempt(source: source.name, reason: error.reason))
            }
        }
        throw CredentialsNotFound(attempts: attempts)
    }
}

/// No place has credentials.
package struct CredentialsNotFound: Error, Equatable, CustomStringConvertible {
    /// A place that was looked at.
    package struct Attempt: Equatable, Sendable {
        /// The name of the place.
        package let source: String
        /// Why there are none; never a secret.
        package let reason: String
    }

    /// The places in the order in which they were looked at.
    package let attempts: [Attempt]

    /// What was tried, one place a line after a first one, without what to do about it.
    package var description: String {
        "no credentials found; tried:" + attempts.map { "\n  \($0.source): \($0.reason)" }.joined()
    }
}
