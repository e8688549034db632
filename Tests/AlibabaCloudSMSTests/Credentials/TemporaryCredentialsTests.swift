// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Synchronization
import Testing

struct TemporaryCredentialsTests {
    static let members =
        #""AccessKeyId":"STS.id","AccessKeySecret":"s3cr3t","SecurityToken":"t0ken","Expiration":"2026-01-31T00:00:00Z""#
    static let expected = Credentials(
        accessKeyID: "STS.id",
        accessKeySecret: Secret("s3cr3t"),
        securityToken: Secret("t0ken"),
        expiration: 1_769_817_600,
    )
    static let uri = ["ALIBABA_CLOUD_CREDENTIALS_URI": "http://127.0.0.1:8080/role?for=me#top"]
    static let instance = ["ALIBABA_CLOUD_ECS_METADATA": "my role/a"]
    static let oidc = [
        "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/sms",
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1:oidc-provider/k",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/var/run/token",
    ]

    /// Another machine, and what it was asked.
    final class Machine: Sendable {
        private let script: @Sendable (CredentialsRequest) -> (status: Int, body: String)?
        private let log = Mutex<[CredentialsRequest]>([])
        var asked: [CredentialsRequest] { log.withLock { $0 } }

        init(_ script: @escaping @Sendable (CredentialsRequest) -> (status: Int, body: String)?) {
            self.script = script
        }

        func chain(_ environment: [String: String], _ files: [String: String] = [:]) -> CredentialsChain {
            CredentialsChain(
                environment: environment,
                read: { files[$0].map { Array($0.utf8) } },
                epochSeconds: { 1_769_814_000 },
                ask: { [self] request throws(CredentialsUnavailable) in
                    log.withLock { $0.append(request) }
                    guard let answer = script(request) else { throw CredentialsUnavailable(reason: "no connection") }
                    return CredentialsRequest.Answer(status: answer.status, body: Array(answer.body.utf8))
                },
            )
        }
    }

    static func reasons(_ chain: CredentialsChain) -> [String: String] {
        let error = #expect(throws: CredentialsNotFound.self) { try chain.find() }
        return Dictionary(uniqueKeysWithValues: error?.attempts.map { ($0.source, $0.reason) } ?? [])
    }

    // MARK: - Credentials URI

    @Test func `asks the credentials URI`() throws {
        let machine = Machine { _ in (200, "{\"Code\":\"Success\",\(Self.members)}") }
        let found = try machine.chain(Self.uri).find()
        #expect(found.credentials == Self.expected && found.source.name == "credentials URI")
        #expect(
            machine.asked == [
                CredentialsRequest(method: .get, origin: "http://127.0.0.1:8080", target: "/role?for=me", timeout: 10)
            ]
        )
    }

    @Test(arguments: [
        ("https://keys.example", "https://keys.example", "/"), ("HTTP://h?a=b", "HTTP://h", "/?a=b"),
        ("http://[::1]:80/p/", "http://[::1]:80", "/p/"),
    ])
    func `takes a URI apart`(_ uri: String, _ origin: String, _ target: String) throws {
        let machine = Machine { _ in (200, "{\(Self.members)}") }
        _ = try machine.chain(["ALIBABA_CLOUD_CREDENTIALS_URI": uri]).find()
        #expect(machine.asked.map(\.origin) == [origin] && machine.asked.map(\.target) == [target])
    }

    @Test(arguments: ["127.0.0.1/x", "ftp://h/x", "http://h/ x", "http://h/\r\nX: y", ""])
    func `asks no URI that is none`(_ uri: String) {
        let machine = Machine { _ in (200, "{\(Self.members)}") }
        let reason = Self.reasons(machine.chain(["ALIBABA_CLOUD_CREDENTIALS_URI": uri]))["credentials URI"]
        #expect(reason?.hasPrefix("ALIBABA_CLOUD_CREDENTIALS_URI is no") == true && machine.asked.isEmpty)
    }

    @Test(arguments: [
        (404, "not found", "it answers 404"), (200, "<html>", "its answer is no such JSON object"),
        (403, #"{"Code":"NoPermission","Message":"t0ken"}"#, "it answers 403 NoPermission"),
        (200, #"{"Code":"Failed t0ken"}"#, "it answers 200"),
        (200, "{}", "AccessKeyId of its answer is not set"),
        (
            200, members.replacing("SecurityToken", with: "Other").asObject,
            "SecurityToken of its answer is not set"
        ),
        (
            200, members.replacing("2026-01-31T00", with: "soon").asObject,
            "Expiration of its answer is no time such as 2026-01-31T00:00:00Z"
        ),
        (
            200, members.replacing("t0ken", with: #"t0ken\r\nX: y"#).asObject,
            "SecurityToken of its answer holds a blank or another character that no key holds"
        ),
    ])
    func `says what is wrong with an answer, and no secret`(_ status: Int, _ body: String, _ reason: String) {
        let machine = Machine { _ in (status, body) }
        #expect(Self.reasons(machine.chain(Self.uri))["credentials URI"] == reason)
    }

    // MARK: - ECS role

    @Test func `asks the metadata service for a token, and with it for the role's credentials`() throws {
        let machine = Machine { request in
            request.method == .put ? (200, "meta-token") : (200, "{\"Code\":\"Success\",\(Self.members)}")
        }
        #expect(try machine.chain(Self.instance).find().credentials == Self.expected)
        #expect(machine.asked.map(\.origin) == ["http://100.100.100.200", "http://100.100.100.200"])
        #expect(
            machine.asked.map(\.target) == [
                "/latest/api/token", "/latest/meta-data/ram/security-credentials/my%20role%2Fa",
            ]
        )
        #expect(machine.asked[0].field == .init(name: "X-aliyun-ecs-metadata-token-ttl-seconds", value: "21600"))
        #expect(machine.asked[1].field == .init(name: "X-aliyun-ecs-metadata-token", value: "meta-token"))
    }

    @Test(arguments: [(404, ""), (200, "two\r\nlines"), (200, ""), (0, "")])
    func `goes on without a token where there is none, unless that is forbidden`(_ status: Int, _ body: String) throws {
        let machine = Machine { request in
            guard request.method == .put else { return (200, "{\(Self.members)}") }
            return status == 0 ? nil : (status, body)
        }
        #expect(try machine.chain(Self.instance).find().credentials == Self.expected)
        #expect(machine.asked.count == 2 && machine.asked[1].field == nil)
        let strict = Self.instance.merging(["ALIBABA_CLOUD_IMDSV1_DISABLED": "true"]) { $1 }
        #expect(Self.reasons(machine.chain(strict))["ECS role"] != nil && machine.asked.count == 3)
    }

    @Test func `asks no metadata service that is switched off`() {
        let machine = Machine { _ in (200, "{\(Self.members)}") }
        let off = Self.instance.merging(["ALIBABA_CLOUD_ECS_METADATA_DISABLED": "True"]) { $1 }
        let reason = Self.reasons(machine.chain(off))["ECS role"]
        #expect(reason == "switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED" && machine.asked.isEmpty)
    }

    // MARK: - OIDC role

    @Test func `gives the security token service the token of the file`() throws {
        let machine = Machine { _ in (200, "{\"RequestId\":\"1\",\"Credentials\":{\(Self.members)}}") }
        let found = try machine.chain(Self.oidc, ["/var/run/token": "a.b+c\n"]).find()
        #expect(found.credentials == Self.expected && found.source.name == "OIDC role")
        let asked = try #require(machine.asked.first)
        #expect(asked.method == .post && asked.origin == "https://sts.aliyuncs.com" && asked.target == "/")
        #expect(
            String(decoding: asked.form, as: UTF8.self)
                == "Action=AssumeRoleWithOIDC&Format=JSON&Version=2015-04-01&Timestamp=2026-01-30T23%3A00%3A00Z"
                + "&DurationSeconds=3600&RoleArn=acs%3Aram%3A%3A1%3Arole%2Fsms"
                + "&OIDCProviderArn=acs%3Aram%3A%3A1%3Aoidc-provider%2Fk&RoleSessionName=smspipe-1769814000"
                + "&OIDCToken=a.b%2Bc"
        )
    }

    @Test(arguments: [
        ([:], "https://sts.aliyuncs.com"),
        (["ALIBABA_CLOUD_STS_REGION": "cn-beijing"], "https://sts.cn-beijing.aliyuncs.com"),
        (
            ["ALIBABA_CLOUD_STS_REGION": "cn-beijing", "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"],
            "https://sts-vpc.cn-beijing.aliyuncs.com"
        ),
    ])
    func `asks the security token service of the region`(_ variables: [String: String], _ origin: String) throws {
        let machine = Machine { _ in (200, "{\"Credentials\":{\(Self.members)}}") }
        let environment = Self.oidc.merging(variables) { $1 }
        _ = try machine.chain(environment, ["/var/run/token": "t"]).find()
        #expect(machine.asked.map(\.origin) == [origin])
    }

    @Test func `asks nobody without a token`() {
        let machine = Machine { _ in (200, "{\"Credentials\":{\(Self.members)}}") }
        #expect(Self.reasons(machine.chain(Self.oidc))["OIDC role"] == "no file /var/run/token")
        let empty = machine.chain(Self.oidc, ["/var/run/token": "\n"])
        #expect(Self.reasons(empty)["OIDC role"] == "/var/run/token is empty")
        #expect(machine.asked.isEmpty)
    }

    // MARK: - The order

    @Test func `keeps the order of the SDKs`() throws {
        let machine = Machine { request in
            request.origin.contains("sts") ? (200, "{\"Credentials\":{\(Self.members)}}") : (200, "{\(Self.members)}")
        }
        let all = Self.uri.merging(Self.instance) { $1 }.merging(Self.oidc) { $1 }.merging(["HOME": "/h"]) { $1 }
        let files = ["/h/.alibabacloud/credentials": CredentialsChainTests.sections]
        let allFiles = files.merging(["/var/run/token": "t"]) { $1 }
        let names = try [
            machine.chain(all.merging(CredentialsChainTests.keys) { $1 }, allFiles), machine.chain(all, allFiles),
            machine.chain(all, files), machine.chain(all), machine.chain(Self.uri.merging(["HOME": "/h"]) { $1 }),
        ].map { try $0.find().source.name }
        #expect(
            names == [
                "environment variables", "OIDC role", "~/.alibabacloud/credentials", "ECS role", "credentials URI",
            ]
        )
    }

    // MARK: - Renewal

    static func lasting(_ expiration: Int?) -> Credentials {
        Credentials(accessKeyID: "i", accessKeySecret: Secret("s"), expiration: expiration)
    }

    private func begins(_ renewal: inout CredentialsRenewal, at now: Int) -> Bool { renewal.begins(at: now) }

    @Test(arguments: [(3600, 2700), (43200, 42300), (900, 600), (6, 4), (0, 0), (-5, -5)])
    func `credentials are renewed a quarter of an hour before they end, or after two thirds`(
        _ lifetime: Int,
        _ due: Int,
    ) throws {
        var renewal = try #require(CredentialsRenewal(Self.lasting(10_000 + lifetime), at: 10_000))
        #expect(!begins(&renewal, at: 10_000 + due - 1))
        #expect(begins(&renewal, at: 10_000 + due))
        // Not twice at a time.
        #expect(!begins(&renewal, at: 20_000))
    }

    @Test func `a failed renewal is tried again after growing pauses`() throws {
        var renewal = try #require(CredentialsRenewal(Self.lasting(3600), at: 0))
        var now = 2700
        for pause in [5, 10, 20, 40, 60, 60] {
            #expect(begins(&renewal, at: now))
            renewal.failed(at: now)
            #expect(!begins(&renewal, at: now + pause - 1))
            now += pause
        }
        #expect(begins(&renewal, at: now))
        renewal.renewed(Self.lasting(now + 3600), at: now)
        #expect(!begins(&renewal, at: now + 2699))
        #expect(begins(&renewal, at: now + 2700))
        renewal.failed(at: now + 2700)
        #expect(begins(&renewal, at: now + 2705))
    }

    @Test func `credentials that do not end are not renewed, and those that have ended not all the time`() throws {
        #expect(CredentialsRenewal(Self.lasting(nil), at: 0) == nil)
        var renewal = try #require(CredentialsRenewal(Self.lasting(10), at: 0))
        #expect(begins(&renewal, at: 10))
        renewal.renewed(Self.lasting(5), at: 10)
        #expect(!begins(&renewal, at: 10))
        #expect(begins(&renewal, at: 11))
        renewal.renewed(Self.lasting(nil), at: 11)
        #expect(!begins(&renewal, at: .max - 1))
    }
}

extension String {
    fileprivate var asObject: String { "{\(self)}" }
}
