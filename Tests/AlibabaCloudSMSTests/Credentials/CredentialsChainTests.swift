// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct CredentialsChainTests {
    static let keys = [
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s3cr3t", "HOME": "/home/me",
    ]
    static let configuration = """
        {"current": "main", "profiles": [
          {"name": "main", "mode": "AK", "access_key_id": "mainid", "access_key_secret": "mains3cr3t", "sts_token": "old"},
          {"name": "temporary", "mode": "StsToken", "access_key_id": "tempid", "access_key_secret": "temps3cr3t",
           "sts_token": "t0ken", "region_id": "cn-hangzhou", "retry_timeout": 0},
          {"name": "half", "mode": "StsToken", "access_key_id": "tempid", "access_key_secret": "temps3cr3t"},
          {"name": "empty", "mode": "AK", "access_key_id": "", "access_key_secret": ""},
          {"name": "role", "mode": "RamRoleArn", "access_key_id": "roleid", "access_key_secret": "roles3cr3t"},
          {"name": "browser", "mode": "CloudSSO"}
        ]}
        """
    static let sections = """
        # comment
        [default]
        type = access_key      # the kind
        access_key_id=defaultid
        access_key_secret = defaults3cr3t # not part of it

        [ other ]
        enable = true
        type = access_key
        access_key_id = otherid
        access_key_secret = others3cr3t
        [role]
        type = ram_role_arn
        access_key_id = roleid
        access_key_secret = roles3cr3t
        role_arn = acs:ram::2:role/other
        [browser]
        type = rsa_key_pair
        """

    func find(_ environment: [String: String], profile: String? = nil, _ files: [String: String] = [:]) throws
        -> CredentialsChain.Found
    {
        try CredentialsChain(
            environment: environment,
            profile: profile,
            read: { files[$0].map { Array($0.utf8) } },
            epochSeconds: { 0 },
            nonce: { Nonce(high: 0, low: 0) },
            ask: { _ throws(CredentialsUnavailable) in
                Issue.record("nobody is to be asked")
                throw CredentialsUnavailable(reason: "nobody answers")
            },
        ).find()
    }

    @Test func `takes the environment first`() throws {
        let found = try find(Self.keys, ["/home/me/.aliyun/config.json": Self.configuration])
        #expect(found.credentials == Credentials(accessKeyID: "id", accessKeySecret: Secret("s3cr3t")))
        #expect(found.source.name == "environment variables")
    }

    @Test(arguments: [("t0ken", "t0ken"), ("", nil), (" \n", nil)])
    func `takes a security token that is not empty`(_ value: String, _ token: String?) throws {
        let environment = Self.keys.merging(["ALIBABA_CLOUD_SECURITY_TOKEN": value]) { $1 }
        #expect(try find(environment).credentials.securityToken == token.map { Secret($0) })
    }

    @Test func `drops blanks and line ends around a key`() throws {
        let environment = [
            "ALIBABA_CLOUD_ACCESS_KEY_ID": " id\r\n", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s3cr3t\n",
        ]
        let expected = Credentials(accessKeyID: "id", accessKeySecret: Secret("s3cr3t"))
        #expect(try find(environment).credentials == expected)
    }

    @Test func `says what was tried, and no secret`() {
        let environment = [
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s3cr3t", "HOME": "/home/me", "ALIBABA_CLOUD_PROFILE": "browser",
        ]
        let files = [
            "/home/me/.aliyun/config.json": Self.configuration, "/home/me/.alibabacloud/credentials": Self.sections,
        ]
        let error = #expect(throws: CredentialsNotFound.self) { try find(environment, files) }
        #expect(
            error?.description == """
                no credentials found; tried:
                  environment variables: ALIBABA_CLOUD_ACCESS_KEY_ID is not set
                  OIDC role: ALIBABA_CLOUD_ROLE_ARN is not set
                  profile of ~/.aliyun/config.json: profile browser of /home/me/.aliyun/config.json has the mode \
                CloudSSO, which smspipe does not support
                  ~/.alibabacloud/credentials: section browser of /home/me/.alibabacloud/credentials has the type \
                rsa_key_pair, which smspipe does not support
                  ECS role: ALIBABA_CLOUD_ECS_METADATA is not set
                  credentials URI: ALIBABA_CLOUD_CREDENTIALS_URI is not set
                """
        )
    }

    @Test(arguments: [
        (["ALIBABA_CLOUD_ACCESS_KEY_ID": "id"], "ALIBABA_CLOUD_ACCESS_KEY_SECRET is not set"),
        (["ALIBABA_CLOUD_ACCESS_KEY_ID": " "], "ALIBABA_CLOUD_ACCESS_KEY_ID is empty"),
        (
            ["ALIBABA_CLOUD_ACCESS_KEY_ID": "id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s3\r\nx: y"],
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET holds a blank or another character that no key holds"
        ),
        (
            ["ALIBABA_CLOUD_ACCESS_KEY_ID": "编号", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"],
            "ALIBABA_CLOUD_ACCESS_KEY_ID holds a blank or another character that no key holds"
        ),
    ])
    func `says what is wrong with the environment`(_ environment: [String: String], _ reason: String) {
        let error = #expect(throws: CredentialsNotFound.self) { try find(environment) }
        #expect(error?.attempts.first?.reason == reason)
        #expect(error?.attempts[2...3].map(\.reason) == ["HOME is not set", "HOME is not set"])
    }

    @Test(arguments: [
        (nil, nil, "mainid", "mains3cr3t", nil),
        (nil, "temporary", "tempid", "temps3cr3t", "t0ken"),
        ("temporary", "role", "tempid", "temps3cr3t", "t0ken"),
    ])
    func `takes a profile of the command line tool`(
        _ option: String?,
        _ variable: String?,
        _ id: String,
        _ secret: String,
        _ token: String?,
    ) throws {
        var environment = ["HOME": "/home/me"]
        environment["ALIBABA_CLOUD_PROFILE"] = variable
        let found = try find(
            environment,
            profile: option,
            ["/home/me/.aliyun/config.json": Self.configuration, "/home/me/.alibabacloud/credentials": Self.sections],
        )
        let expected = Credentials(
            accessKeyID: id,
            accessKeySecret: Secret(secret),
            securityToken: token.map { Secret($0) },
        )
        #expect(found.credentials == expected)
    }

    @Test(arguments: [
        ("{", "main", "/home/me/.aliyun/config.json is malformed (byte 1: expected a member name in quotes)"),
        ("{}", nil, "/home/me/.aliyun/config.json names no current profile"),
        ("{}", "main", "/home/me/.aliyun/config.json has no profiles"),
        (configuration, "none", "/home/me/.aliyun/config.json has no profile none"),
        (configuration, "half", "sts_token in profile half of /home/me/.aliyun/config.json is not set"),
        (configuration, "empty", "access_key_id in profile empty of /home/me/.aliyun/config.json is empty"),
    ])
    func `says what is wrong with a profile`(_ content: String, _ profile: String?, _ reason: String) {
        let error = #expect(throws: CredentialsNotFound.self) {
            try find(["HOME": "/home/me"], profile: profile, ["/home/me/.aliyun/config.json": content])
        }
        #expect(error?.attempts[2].reason == reason)
    }

    @Test func `leaves the command line tool's profile alone when told to`() {
        let environment = ["HOME": "/home/me", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"]
        let error = #expect(throws: CredentialsNotFound.self) {
            try find(environment, ["/home/me/.aliyun/config.json": Self.configuration])
        }
        #expect(error?.attempts[2].reason == "switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED")
    }

    @Test(arguments: [
        ("/home/me/.alibabacloud/credentials", nil, "defaultid", "defaults3cr3t"),
        ("/home/me/.alibabacloud/credentials.ini", "other", "otherid", "others3cr3t"),
    ])
    func `takes a section of the SDKs' file`(
        _ path: String,
        _ profile: String?,
        _ id: String,
        _ secret: String,
    ) throws {
        for content in [Self.sections, Self.sections.split(separator: "\n").joined(separator: "\r\n")] {
            let found = try find(["HOME": "/home/me"], profile: profile, [path: content])
            #expect(found.credentials == Credentials(accessKeyID: id, accessKeySecret: Secret(secret)))
            #expect(found.source.name == "~/.alibabacloud/credentials")
        }
    }

    @Test func `takes the SDKs' file from where the environment says`() throws {
        let environment = ["ALIBABA_CLOUD_CREDENTIALS_FILE": "/etc/keys"]
        #expect(try find(environment, ["/etc/keys": Self.sections]).credentials.accessKeyID == "defaultid")
        let error = #expect(throws: CredentialsNotFound.self) { try find(environment) }
        #expect(error?.attempts[3].reason == "no file /etc/keys")
    }
}
