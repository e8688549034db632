// SPDX-License-Identifier: Apache-2.0

/// Temporary credentials of the RAM role of the ECS instance that the program runs on.
///
/// Only if `ALIBABA_CLOUD_ECS_METADATA` names the role: anywhere else, asking would cost seconds.
/// Source: default credential chain of the official SDKs, fifth step.
package struct InstanceRoleCredentials: CredentialsSource {
    private let environment: [String: String]
    private let ask: CredentialsRequest.Asker

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - environment: The variables by name.
    ///   - ask: Asks the metadata service.
    package init(environment: [String: String], ask: @escaping CredentialsRequest.Asker) {
        self.environment = environment
        self.ask = ask
    }

    package var name: String { "ECS role" }

    package func credentials() throws(CredentialsUnavailable) -> Credentials {
        guard let role = environment.nonEmpty("ALIBABA_CLOUD_ECS_METADATA") else {
            throw CredentialsUnavailable(reason: "ALIBABA_CLOUD_ECS_METADATA is not set")
        }
        return try MetadataService(environment: environment, ask: ask).credentials(ofRole: role)
    }
}

/// The metadata service of ECS instances.
///
/// It is asked in its hardened mode first, with a token of its own; where it has none, without, unless
/// `ALIBABA_CLOUD_IMDSV1_DISABLED` is `true`. Source: ECS user guide, "instance RAM roles".
struct MetadataService {
    let environment: [String: String]
    let ask: CredentialsRequest.Asker

    /// The credentials of a role of the instance.
    ///
    /// - Parameter role: The role's name; `nil` for the one that the instance has.
    /// - Returns: Its credentials.
    /// - Throws: ``CredentialsUnavailable``.
    func credentials(ofRole role: String?) throws(CredentialsUnavailable) -> Credentials {
        guard !environment.isTrue("ALIBABA_CLOUD_ECS_METADATA_DISABLED") else {
            throw CredentialsUnavailable(reason: "switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED")
        }
        let token = try token()
        var role = role
        if role == nil {
            let answer = try ask(Self.request(.get, Self.roles, token))
            role = answer.status == 200 ? Self.word(answer.body) : nil
            guard role != nil else { throw CredentialsUnavailable(reason: "the instance has no role") }
        }
        var path = Array(Self.roles.utf8)
        PercentEncoding.append((role ?? "").utf8.span, to: &path)
        return try ask(Self.request(.get, String(decoding: path, as: UTF8.self), token)).credentials()
    }

    private static let roles = "/latest/meta-data/ram/security-credentials/"

    private func token() throws(CredentialsUnavailable) -> CredentialsRequest.Field? {
        let lifetime = CredentialsRequest.Field(name: "X-aliyun-ecs-metadata-token-ttl-seconds", value: "21600")
        do throws(CredentialsUnavailable) {
            let answer = try ask(Self.request(.put, "/latest/api/token", lifetime))
            guard answer.status == 200, let token = Self.word(answer.body) else {
                throw CredentialsUnavailable(reason: "the metadata service answers \(answer.status) without a token")
            }
            return CredentialsRequest.Field(name: "X-aliyun-ecs-metadata-token", value: token)
        } catch {
            if environment.isTrue("ALIBABA_CLOUD_IMDSV1_DISABLED") { throw error }
            return nil
        }
    }

    /// A text of visible ASCII characters, which can stand in a header and in an address; `nil` for any other.
    private static func word(_ bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty, bytes.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func request(
        _ method: CredentialsRequest.Method,
        _ target: String,
        _ field: CredentialsRequest.Field?,
    ) -> CredentialsRequest {
        var request = CredentialsRequest(method: method, origin: "http://100.100.100.200", target: target, timeout: 2)
        request.field = field
        return request
    }
}

extension [String: String] {
    /// Whether a variable is `true`, as the SDKs have their switches.
    func isTrue(_ name: String) -> Bool { self[name]?.lowercased() == "true" }
}
