// SPDX-License-Identifier: Apache-2.0

/// Looks for credentials in one place after the other.
///
/// The first place that has some counts; whatever is wrong with a place, a half-set environment too, leads on to the
/// next. Sources that ask another machine for temporary credentials take their places between these once there are any.
package struct CredentialsChain {
    /// Credentials, and where they were.
    package struct Found: Equatable, Sendable {
        /// The credentials.
        package let credentials: Credentials
        /// The name of the place.
        package let source: String
    }

    private let sources: [any CredentialsSource]

    /// Creates a chain.
    ///
    /// - Parameter sources: The places, the first one to be asked first.
    package init(_ sources: [any CredentialsSource]) {
        self.sources = sources
    }

    /// Creates the default chain: environment variables, the command line tool's profile, the SDKs' file.
    ///
    /// - Parameters:
    ///   - environment: The variables by name.
    ///   - profile: The profile to take from the files; `nil` for that of `ALIBABA_CLOUD_PROFILE` or their default.
    ///   - read: Reads a file.
    package init(
        environment: [String: String],
        profile: String? = nil,
        read: @escaping CredentialsFile.Reader,
    ) {
        self.init([
            EnvironmentCredentials(environment: environment),
            CommandLineProfileCredentials(environment: environment, profile: profile, read: read),
            SectionFileCredentials(environment: environment, profile: profile, read: read),
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
                return Found(credentials: try source.credentials(), source: source.name)
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
