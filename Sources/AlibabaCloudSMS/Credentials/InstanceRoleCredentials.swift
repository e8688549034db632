// SPDX-License-Identifier: Apache-2.0

/// Temporary credentials of the RAM role of the ECS instance that the program runs on.
///
/// Only if `ALIBABA_CLOUD_ECS_METADATA` names the role: anywhere else, asking would cost seconds. The metadata service is
/// asked in its hardened mode first, with a token of its own; where it has none, without, unless
/// `ALIBABA_CLOUD_IMDSV1_DISABLED` is `true`.
/// Source: default credential chain of the official SDKs, fifth step; ECS user guide, "instance RAM roles".
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
        guard !environment.isTrue("ALIBABA_CLOUD_ECS_METADATA_DISABLED") else {
            throw CredentialsUnavailable(reason: "switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED")
        }
        var path: [UInt8] = Array("/latest/meta-data/ram/security-credentials/".utf8)
        PercentEncoding.append(role.utf8.span, to: &path)
        var request = Self.request(.get, String(decoding: path, as: UTF8.self))
        do throws(CredentialsUnavailable) {
            request.field = CredentialsRequest.Field(name: "X-aliyun-ecs-metadata-token", value: try token())
        } catch {
            if environment.isTrue("ALIBABA_CLOUD_IMDSV1_DISABLED") { throw error }
        }
        return try ask(request).credentials()
    }

    private func token() throws(CredentialsUnavailable) -> String {
        var request = Self.request(.put, "/latest/api/token")
        request.field = CredentialsRequest.Field(name: "X-aliyun-ecs-metadata-token-ttl-seconds", value: "21600")
        let answer = try ask(request)
        let token = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200, !token.isEmpty, token.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            throw CredentialsUnavailable(reason: "the metadata service answers \(answer.status) without a token")
        }
        return token
    }

    private static func request(_ method: CredentialsRequest.Method, _ target: String) -> CredentialsRequest {
        CredentialsRequest(method: method, origin: "http://100.100.100.200", target: target, timeout: 1)
    }
}

extension [String: String] {
    /// Whether a variable is `true`, as the SDKs have their switches.
    func isTrue(_ name: String) -> Bool { self[name]?.lowercased() == "true" }
}
