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
                nonce: { Nonce(high: 1, low: 2) },
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
                CredentialsRequest(method: .get, origin: "http://127.0.0.1:8080", target: "/role?for=me", timeout: 15)
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
        #expect(asked.method == .post && asked.origin == "https://sts.aliyuncs.com")
        #expect(
            asked.target
                == "/?Action=AssumeRoleWithOIDC&Format=JSON&Timestamp=2026-01-30T23%3A00%3A00Z&Version=2015-04-01"
        )
        #expect(
            String(decoding: asked.form, as: UTF8.self)
                == "DurationSeconds=3600&OIDCProviderArn=acs%3Aram%3A%3A1%3Aoidc-provider%2Fk&OIDCToken=a.b%2Bc"
                + "&RoleArn=acs%3Aram%3A%3A1%3Arole%2Fsms&RoleSessionName=smspipe-1769814000"
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

    // MARK: - Roles of profiles

    static let key = #""access_key_id":"kid","access_key_secret":"ks3cr3t""#
    static let role = #""ram_role_arn":"acs:ram::1:role/a""#

    /// Finds the credentials of a profile of the command line tool, and tells what was asked for.
    private func ask(
        _ profiles: String...,
        environment: [String: String] = [:],
        files: [String: String] = [:],
    ) -> (Result<CredentialsChain.Found, CredentialsNotFound>, [CredentialsRequest]) {
        let machine = Machine { request in
            if request.origin.contains("sts") { return (200, "{\"Credentials\":{\(Self.members)}}") }
            if request.target.hasSuffix("security-credentials/") { return (200, "myrole") }
            return request.method == .put ? (404, "") : (200, "{\(Self.members)}")
        }
        let configuration = "{\"current\":\"p\",\"profiles\":[\(profiles.joined(separator: ","))]}"
        let chain = machine.chain(
            environment.merging(["HOME": "/h"]) { $1 },
            files.merging(["/h/.aliyun/config.json": configuration]) { $1 },
        )
        do throws(CredentialsNotFound) {
            return (.success(try chain.find()), machine.asked)
        } catch {
            return (.failure(error), machine.asked)
        }
    }

    /// The parameters of a request to the security token service, those of the query and of the form together.
    private func parameters(_ request: CredentialsRequest) -> [String: String] {
        let query = request.target.split(separator: "?", maxSplits: 1)[1]
        let form = String(decoding: request.form, as: UTF8.self)
        let pairs = "\(query)&\(form)".split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            let value = parts.count > 1 ? PercentEncoding.decode(Array(parts[1].utf8).span) ?? [] : []
            return (String(parts[0]), String(decoding: value, as: UTF8.self))
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test func `a profile takes on a role with its key`() throws {
        let (result, asked) = ask(
            """
            {"name":"p","mode":"RamRoleArn",\(Self.key),\(Self.role),"ram_session_name":"me","expired_seconds":900,
             "policy":"{}","external_id":"x","sts_region":"cn-shanghai","enable_vpc":true}
            """
        )
        #expect(try result.get().credentials == Self.expected)
        let request = try #require(asked.first)
        #expect(asked.count == 1 && request.method == .post)
        #expect(request.origin == "https://sts-vpc.cn-shanghai.aliyuncs.com")
        let parameters = parameters(request)
        #expect(
            parameters == [
                "Action": "AssumeRole", "Format": "JSON", "Version": "2015-04-01", "Timestamp": "2026-01-30T23:00:00Z",
                "AccessKeyId": "kid", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
                "SignatureNonce": "00000000000000010000000000000002",
                // Computed with Python's hmac module.
                "Signature": "wPfDj4vqfRHyTZA0bnViC5/eZ7M=",
                "RoleArn": "acs:ram::1:role/a", "RoleSessionName": "me", "DurationSeconds": "900", "Policy": "{}",
                "ExternalId": "x",
            ]
        )
        // Nothing that the role is for stands in the address.
        #expect(!request.target.contains("Role=") && !request.target.contains("RoleArn"))
    }

    @Test func `a profile takes on a role with a temporary key, or with another profile's role`() throws {
        let base = "{\"name\":\"base\",\"mode\":\"StsToken\",\(Self.key),\"sts_token\":\"kt0ken\"}"
        let middle = "{\"name\":\"middle\",\"mode\":\"ChainableRamRoleArn\",\(Self.role),\"source_profile\":\"base\"}"
        let last = #"{"name":"p","mode":"ChainableRamRoleArn","ram_role_arn":"b","source_profile":"middle"}"#
        let (result, asked) = ask(last, base, middle)
        #expect(try result.get().credentials == Self.expected)
        let parameters = asked.map(parameters)
        #expect(parameters.map { $0["AccessKeyId"] } == ["kid", "STS.id"])
        #expect(parameters.map { $0["SecurityToken"] } == ["kt0ken", "t0ken"])
        #expect(parameters.map { $0["RoleArn"] } == ["acs:ram::1:role/a", "b"])
        #expect(parameters.map { $0["RoleSessionName"] } == ["smspipe-1769814000", "smspipe-1769814000"])
        #expect(parameters.map { $0["DurationSeconds"] } == ["3600", "3600"])
    }

    @Test(arguments: [
        ("middle", "profile middle of /h/.aliyun/config.json is a source of itself"),
        ("p", "profile p of /h/.aliyun/config.json is a source of itself"),
        ("none", "/h/.aliyun/config.json has no profile none"),
        ("", "source_profile in profile p of /h/.aliyun/config.json is not set"),
    ])
    func `profiles that lead nowhere are told`(_ source: String, _ reason: String) {
        let middle = "{\"name\":\"middle\",\"mode\":\"ChainableRamRoleArn\",\(Self.role),\"source_profile\":\"p\"}"
        let first =
            "{\"name\":\"p\",\"mode\":\"ChainableRamRoleArn\",\(Self.role),\"source_profile\":\"\(source)\"}"
        let (result, asked) = ask(first, middle)
        guard case .failure(let error) = result else {
            Issue.record("credentials were found")
            return
        }
        #expect(error.attempts[2].reason == reason && asked.isEmpty)
    }

    @Test func `a profile takes on a role with a token`() throws {
        let (result, asked) = ask(
            """
            {"name":"p","mode":"OIDC",\(Self.role),"oidc_provider_arn":"prov","oidc_token_file":"/t",
             "role_session_name":"me"}
            """,
            files: ["/t": "tok"],
        )
        #expect(try result.get().credentials == Self.expected)
        let parameters = parameters(asked[0])
        #expect(parameters["Action"] == "AssumeRoleWithOIDC" && parameters["OIDCToken"] == "tok")
        #expect(parameters["RoleSessionName"] == "me" && parameters["Signature"] == nil)
    }

    @Test(arguments: [("", "myrole"), (#","ram_role_name":"r""#, "r")])
    func `a profile has the instance's role`(_ member: String, _ role: String) throws {
        let (result, asked) = ask("{\"name\":\"p\",\"mode\":\"EcsRamRole\"\(member)}")
        #expect(try result.get().credentials == Self.expected)
        #expect(asked.last?.target == "/latest/meta-data/ram/security-credentials/\(role)")
    }

    @Test(arguments: [
        (#"{"name":"p","mode":"RamRoleArn","access_key_id":"i","access_key_secret":"s"}"#, "ram_role_arn"),
        (#"{"name":"p","mode":"OIDC","ram_role_arn":"r","oidc_provider_arn":"p"}"#, "oidc_token_file"),
        (#"{"name":"p","mode":"RamRoleArn","ram_role_arn":"r","access_key_id":"i"}"#, "access_key_secret"),
    ])
    func `what a profile lacks is told`(_ profile: String, _ member: String) {
        let (result, asked) = ask(profile)
        guard case .failure(let error) = result else {
            Issue.record("credentials were found")
            return
        }
        #expect(error.attempts[2].reason == "\(member) in profile p of /h/.aliyun/config.json is not set")
        #expect(asked.isEmpty)
    }

    @Test func `a section of the SDKs' file takes on roles too`() throws {
        for (section, action) in [
            ("type = ram_role_arn\naccess_key_id = i\naccess_key_secret = s\nrole_arn = r", "AssumeRole"),
            (
                "type = oidc_role_arn\nrole_arn = r\noidc_provider_arn = p\noidc_token_file_path = /t",
                "AssumeRoleWithOIDC"
            ),
        ] {
            let machine = Machine { _ in (200, "{\"Credentials\":{\(Self.members)}}") }
            let files = ["/h/.alibabacloud/credentials": "[default]\n\(section)\n", "/t": "tok"]
            #expect(try machine.chain(["HOME": "/h"], files).find().credentials == Self.expected)
            #expect(parameters(machine.asked[0])["Action"] == action)
        }
        let machine = Machine { $0.method == .put ? (200, "meta") : (200, "{\(Self.members)}") }
        let files = ["/h/.alibabacloud/credentials": "[default]\ntype = ecs_ram_role\nrole_name = r\n"]
        #expect(try machine.chain(["HOME": "/h"], files).find().credentials == Self.expected)
        #expect(machine.asked.last?.target == "/latest/meta-data/ram/security-credentials/r")
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

    @Test func `new credentials are awaited once the old ones have ended, as long as they are on their way`() throws {
        var renewal = try #require(CredentialsRenewal(Self.lasting(30), at: 0))
        #expect(begins(&renewal, at: 20))
        #expect(!renewal.isAwaited(at: 29) && renewal.isAwaited(at: 30))
        renewal.failed(at: 31)
        #expect(!renewal.isAwaited(at: 31))
        #expect(begins(&renewal, at: 36))
        #expect(renewal.isAwaited(at: 36))
        // Ended already by a clock that may be wrong: they are used all the same, and asked for again as after a failure.
        renewal.renewed(Self.lasting(35), at: 36)
        #expect(!renewal.isAwaited(at: 36))
        #expect(!begins(&renewal, at: 45))
        #expect(begins(&renewal, at: 46))
        renewal.renewed(Self.lasting(nil), at: 46)
        #expect(!renewal.isAwaited(at: .max - 1))
    }

    @Test func `credentials that do not end are not renewed`() throws {
        #expect(CredentialsRenewal(Self.lasting(nil), at: 0) == nil)
        var renewal = try #require(CredentialsRenewal(Self.lasting(10), at: 0))
        #expect(begins(&renewal, at: 10))
        renewal.renewed(Self.lasting(nil), at: 11)
        #expect(!begins(&renewal, at: .max - 1))
    }

    @Test func `credentials that the gateway finds expired are renewed once for all that they signed`() throws {
        var renewal = try #require(CredentialsRenewal(Self.lasting(10_000), at: 0))
        renewal.refused(at: 5)
        #expect(begins(&renewal, at: 5))
        #expect(renewal.isAwaited(at: 5))
        renewal.refused(at: 5)
        #expect(!begins(&renewal, at: 5))
        renewal.renewed(Self.lasting(20_000), at: 6)
        renewal.refused(at: 16)
        #expect(!begins(&renewal, at: 16) && !renewal.isAwaited(at: 16))
        renewal.refused(at: 17)
        #expect(begins(&renewal, at: 17))
    }
}

extension String {
    fileprivate var asObject: String { "{\(self)}" }
}
