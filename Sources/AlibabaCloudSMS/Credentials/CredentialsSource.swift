// SPDX-License-Identifier: Apache-2.0

/// A place where credentials may be found.
package protocol CredentialsSource: Sendable {
    /// What the place is called in a message, such as `environment variables`.
    var name: String { get }

    /// Looks for credentials; where another machine is asked for them, waits for its answer.
    ///
    /// - Returns: What was found.
    /// - Throws: ``CredentialsUnavailable`` with the reason why there are none.
    func credentials() throws(CredentialsUnavailable) -> Credentials
}

/// Why a place holds no credentials.
package struct CredentialsUnavailable: Error, Equatable, CustomStringConvertible {
    /// The reason, such as `ALIBABA_CLOUD_ACCESS_KEY_ID is not set`; never a secret.
    package let reason: String

    /// Creates the reason.
    package init(reason: String) {
        self.reason = reason
    }

    package var description: String { reason }
}

extension Credentials {
    /// Creates credentials from texts that somebody wrote into a variable or a file.
    ///
    /// Blanks and line ends around them are dropped, a common slip. Anything within that cannot stand in a header is
    /// refused.
    ///
    /// - Parameters:
    ///   - accessKeyID: The id of the key, with what it is called in a message.
    ///   - accessKeySecret: The secret, likewise.
    ///   - securityToken: The token of temporary credentials, likewise; empty means none.
    /// - Throws: ``CredentialsUnavailable`` if one is missing, empty or holds what no key holds.
    init(
        accessKeyID: (name: String, text: String?),
        accessKeySecret: (name: String, text: String?),
        securityToken: (name: String, text: String?)? = nil,
    ) throws(CredentialsUnavailable) {
        self.init(
            accessKeyID: try Self.checked(accessKeyID),
            accessKeySecret: Secret(try Self.checked(accessKeySecret)),
        )
        if let securityToken, let text = securityToken.text, !Self.trimming(text).isEmpty {
            self.securityToken = Secret(try Self.checked(securityToken))
        }
    }

    private static func checked(_ value: (name: String, text: String?)) throws(CredentialsUnavailable) -> String {
        guard let text = value.text else { throw CredentialsUnavailable(reason: "\(value.name) is not set") }
        let trimmed = trimming(text)
        guard !trimmed.isEmpty else { throw CredentialsUnavailable(reason: "\(value.name) is empty") }
        guard trimmed.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            throw CredentialsUnavailable(reason: "\(value.name) holds a blank or another character that no key holds")
        }
        return trimmed
    }

    private static func trimming(_ text: String) -> String {
        let isBlank = { (byte: UInt8) in byte <= 0x20 }
        let start = text.utf8.firstIndex { !isBlank($0) } ?? text.endIndex
        let end = text.utf8.lastIndex { !isBlank($0) }.map(text.utf8.index(after:)) ?? start
        return String(text[start..<end])
    }
}
