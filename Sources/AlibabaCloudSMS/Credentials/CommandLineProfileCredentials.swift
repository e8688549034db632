// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// Credentials of a profile in the configuration of Alibaba Cloud's command line tool, `~/.aliyun/config.json`.
///
/// Profiles of the modes `AK` and `StsToken` hold credentials; the others name a way to get some and are refused.
/// Source: default credential chain of the official SDKs, third step.
package struct CommandLineProfileCredentials: CredentialsSource {
    private let environment: [String: String]
    private let profile: String?
    private let read: CredentialsFile.Reader

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - environment: The variables by name; `HOME` tells where the file is.
    ///   - profile: The profile's name; for `nil` that in `ALIBABA_CLOUD_PROFILE`, else the file's current one.
    ///   - read: Reads a file.
    package init(
        environment: [String: String],
        profile: String? = nil,
        read: @escaping CredentialsFile.Reader,
    ) {
        self.environment = environment
        self.profile = profile
        self.read = read
    }

    package var name: String { "profile of ~/.aliyun/config.json" }

    package func credentials() throws(CredentialsUnavailable) -> Credentials {
        guard !environment.isTrue("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") else {
            throw CredentialsUnavailable(reason: "switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED")
        }
        let paths = environment.nonEmpty("HOME").map { ["\($0)/.aliyun/config.json"] } ?? []
        let file = try CredentialsFile.first(of: paths, read)
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
        for element in try JSONScanner.elements(of: bytes, in: list.value) {
            let members = try ObjectMembers(of: bytes, in: element.value)
            guard members.text("name", in: bytes) == wanted else { continue }
            return try credentials(ofProfile: members, in: bytes, "profile \(wanted) of \(file.path)")
        }
        throw CredentialsUnavailable(reason: "\(file.path) has no profile \(wanted)")
    }

    private func credentials(
        ofProfile members: ObjectMembers,
        in bytes: Span<UInt8>,
        _ profileName: String,
    ) throws(CredentialsUnavailable) -> Credentials {
        let mode = members.text("mode", in: bytes) ?? ""
        guard mode == "AK" || mode == "StsToken" else {
            throw CredentialsUnavailable(reason: "\(profileName) has the mode \(mode), which is not supported yet")
        }
        let accessKeyID = members.text("access_key_id", in: bytes)
        let accessKeySecret = members.text("access_key_secret", in: bytes)
        let credentials = try Credentials(
            accessKeyID: ("access_key_id in \(profileName)", accessKeyID),
            accessKeySecret: ("access_key_secret in \(profileName)", accessKeySecret),
            securityToken: ("sts_token in \(profileName)", mode == "AK" ? nil : members.text("sts_token", in: bytes)),
        )
        guard mode == "AK" || credentials.securityToken != nil else {
            throw CredentialsUnavailable(reason: "sts_token in \(profileName) is not set")
        }
        return credentials
    }
}

extension [String: String] {
    /// The value of a variable that is set and not empty.
    func nonEmpty(_ name: String) -> String? {
        guard let value = self[name], !value.isEmpty else { return nil }
        return value
    }
}
