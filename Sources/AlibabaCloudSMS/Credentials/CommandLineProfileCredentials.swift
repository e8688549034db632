// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// Credentials of a profile in the configuration of Alibaba Cloud's command line tool, `~/.aliyun/config.json`.
///
/// Profiles of the modes `AK` and `StsToken` hold credentials, those of `RamRoleArn`, `ChainableRamRoleArn`, `OIDC` and `EcsRamRole`
/// name a role; those that run a program or open a browser are refused.
/// Source: default credential chain of the official SDKs, third step.
package struct CommandLineProfileCredentials: CredentialsSource {
    private let environment: [String: String]
    private let profile: String?
    private let provider: CredentialsProvider

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - environment: The variables by name; `HOME` tells where the file is.
    ///   - profile: The profile's name; for `nil` that in `ALIBABA_CLOUD_PROFILE`, else the file's current one.
    ///   - provider: Gets what the profile describes.
    init(environment: [String: String], profile: String? = nil, provider: CredentialsProvider) {
        self.environment = environment
        self.profile = profile
        self.provider = provider
    }

    package var name: String { "profile of ~/.aliyun/config.json" }

    package func credentials() throws(CredentialsUnavailable) -> Credentials {
        guard !environment.isTrue("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") else {
            throw CredentialsUnavailable(reason: "switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED")
        }
        let paths = environment.nonEmpty("HOME").map { ["\($0)/.aliyun/config.json"] } ?? []
        let file = try CredentialsFile.first(of: paths, provider.read)
        do {
            return try credentials(in: file)
        } catch let error as JSONError {
            throw CredentialsUnavailable(reason: "\(file.path) is malformed (\(error))")
        } catch let error as CredentialsUnavailable {
            throw error
        } catch {
            throw CredentialsUnavailable(reason: "\(file.path): \(error)")
        }
    }

    private func credentials(in file: CredentialsFile) throws -> Credentials {
        let bytes = file.content.span
        let members = try ObjectMembers(of: bytes, in: 0..<bytes.count)
        let wanted = profile ?? environment.nonEmpty("ALIBABA_CLOUD_PROFILE") ?? members.text("current", in: bytes)
        guard let wanted else {
            throw CredentialsUnavailable(reason: "\(file.path) names no current profile")
        }
        guard let list = members.member("profiles", in: bytes) else {
            throw CredentialsUnavailable(reason: "\(file.path) has no profiles")
        }
        return try credentials(ofProfile: wanted, list, file, namedBy: [])
    }

    // `profiles` lead to this one, each naming the next as its source.
    private func credentials(
        ofProfile wanted: String,
        _ list: JSONMember,
        _ file: CredentialsFile,
        namedBy profiles: [String],
    ) throws -> Credentials {
        let bytes = file.content.span
        for element in try JSONScanner.elements(of: bytes, in: list.value) {
            let members = try ObjectMembers(of: bytes, in: element.value)
            guard members.text("name", in: bytes) == wanted else { continue }
            let profile = CredentialsProvider.Profile(
                name: "profile \(wanted) of \(file.path)",
                names: Self.names,
                text: { name in
                    let bytes = file.content.span
                    return members.member(name, in: bytes)?.kind == .true ? "true" : members.text(name, in: bytes)
                },
            )
            let mode = members.text("mode", in: bytes) ?? ""
            guard mode == "ChainableRamRoleArn" else { return try credentials(profile, mode) }
            let source = try profile.required("source_profile")
            guard source != wanted, !profiles.contains(source) else {
                throw CredentialsUnavailable(reason: "\(profile.name) is a source of itself")
            }
            let assuming = try credentials(ofProfile: source, list, file, namedBy: profiles + [wanted])
            return try provider.credentials(profile, .role(by: assuming))
        }
        throw CredentialsUnavailable(reason: "\(file.path) has no profile \(wanted)")
    }

    private func credentials(
        _ profile: CredentialsProvider.Profile,
        _ mode: String,
    ) throws(CredentialsUnavailable) -> Credentials {
        switch mode {
        case "AK": try provider.credentials(profile, .accessKey)
        case "StsToken": try provider.credentials(profile, .securityToken)
        case "RamRoleArn": try provider.credentials(profile, .role(by: nil))
        case "OIDC": try provider.credentials(profile, .oidcRole)
        case "EcsRamRole": try provider.credentials(profile, .instanceRole)
        default:
            throw CredentialsUnavailable(reason: "\(profile.name) has the mode \(mode), which smspipe does not support")
        }
    }

    private static let names = CredentialsProvider.Names(
        role: "ram_role_arn",
        sessions: ["role_session_name", "ram_session_name"],
        tokenFile: "oidc_token_file",
        instanceRole: "ram_role_name",
    )
}

extension [String: String] {
    /// The value of a variable that is set and not empty.
    func nonEmpty(_ name: String) -> String? {
        guard let value = self[name], !value.isEmpty else { return nil }
        return value
    }
}
