// SPDX-License-Identifier: Apache-2.0

/// Credentials of a section in `~/.alibabacloud/credentials`, the file that the official SDKs share.
///
/// Sections of the type `access_key` hold credentials, those of `ram_role_arn`, `oidc_role_arn` and `ecs_ram_role` name a role; others
/// are refused.
/// Source: default credential chain of the official SDKs, fourth step.
package struct SectionFileCredentials: CredentialsSource {
    private let environment: [String: String]
    private let profile: String?
    private let provider: CredentialsProvider

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - environment: The variables by name; `ALIBABA_CLOUD_CREDENTIALS_FILE` and `HOME` tell where the file is.
    ///   - profile: The section's name; for `nil` that in `ALIBABA_CLOUD_PROFILE`, else `default`.
    ///   - provider: Gets what the section describes.
    init(environment: [String: String], profile: String? = nil, provider: CredentialsProvider) {
        self.environment = environment
        self.profile = profile
        self.provider = provider
    }

    package var name: String { "~/.alibabacloud/credentials" }

    package func credentials() throws(CredentialsUnavailable) -> Credentials {
        let file = try CredentialsFile.first(of: paths, provider.read)
        guard let text = String(validating: file.content, as: UTF8.self) else {
            throw CredentialsUnavailable(reason: "\(file.path) is not UTF-8")
        }
        let wanted = profile ?? environment.nonEmpty("ALIBABA_CLOUD_PROFILE") ?? "default"
        let sectionName = "section \(wanted) of \(file.path)"
        guard let values = Self.section(wanted, of: text) else {
            throw CredentialsUnavailable(reason: "\(file.path) has no section \(wanted)")
        }
        let section = CredentialsProvider.Profile(name: sectionName, names: Self.names, text: { values[$0] })
        switch values["type"] ?? "" {
        case "access_key": return try provider.credentials(section, .accessKey)
        case "ram_role_arn": return try provider.credentials(section, .role(by: nil))
        case "oidc_role_arn": return try provider.credentials(section, .oidcRole)
        case "ecs_ram_role": return try provider.credentials(section, .instanceRole)
        case let type:
            throw CredentialsUnavailable(reason: "\(sectionName) has the type \(type), which smspipe does not support")
        }
    }

    private static let names = CredentialsProvider.Names(
        role: "role_arn",
        sessions: ["role_session_name"],
        tokenFile: "oidc_token_file_path",
        instanceRole: "role_name",
    )

    /// The SDKs disagree on the file's name, so both are tried.
    private var paths: [String] {
        if let path = environment.nonEmpty("ALIBABA_CLOUD_CREDENTIALS_FILE") { return [path] }
        guard let home = environment.nonEmpty("HOME") else { return [] }
        return ["\(home)/.alibabacloud/credentials.ini", "\(home)/.alibabacloud/credentials"]
    }

    /// The values of a section; of a value that stands twice the later one counts.
    ///
    /// What follows a `#` in a line is dropped.
    private static func section(_ name: String, of text: String) -> [String: String]? {
        var values: [String: String]?
        var isWanted = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.prefix { $0 != "#" }.trimmed
            if line.hasPrefix("["), line.hasSuffix("]") {
                isWanted = line.dropFirst().dropLast().trimmed == name
                if isWanted, values == nil { values = [:] }
            } else if isWanted, let equals = line.firstIndex(of: "=") {
                values?[String(line[..<equals].trimmed)] = String(line[line.index(after: equals)...].trimmed)
            }
        }
        return values
    }
}

extension Substring {
    /// The text without blanks around it.
    fileprivate var trimmed: Substring {
        let rest = drop(while: \.isWhitespace)
        guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return rest }
        return rest[...last]
    }
}
