// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import Testing

struct RequestSignerTests {
    /// 2024-03-01T08:00:00Z, the time of the vectors.
    static let time = 1_709_280_000
    static let nonce = Nonce(high: 0xd4a1_e5f0_b7c9_4c2e, low: 0x9f6a_3b8c_7d6e_5f40)

    /// The vectors with the headers that we send and the body encoded as we encode it.
    static var v3: [SigningVectors.V3] {
        SigningVectors.allV3.filter { vector in
            vector.bodyParams != nil && !["v3-03", "v3-05", "v3-10"].contains(vector.id)
        }
    }

    /// The vectors with the arrays in the form body and no parameter that we do not send.
    static var v1: [SigningVectors.V1] {
        SigningVectors.allV1.filter { $0.placement == "form-sdk" && $0.signedParams["RegionId"] == nil }
    }

    @Test(arguments: v3)
    func `composes the request of a V3 vector`(_ vector: SigningVectors.V3) throws {
        let credentials = Credentials(
            accessKeyID: vector.accessKeyId,
            accessKeySecret: Secret(vector.accessKeySecret),
            securityToken: vector.securityToken.map { Secret($0) },
        )
        let call = Call(
            Action(try #require(vector.headersSigned["x-acs-action"])),
            method: try #require(HTTPMethod(rawValue: vector.method)),
            query: parameters(vector.queryParams),
            form: parameters(try #require(vector.bodyParams)),
        )
        var signer = RequestSigner(scheme: .v3, credentials: credentials)
        let host = try #require(vector.headersSigned["host"])
        let request = signer.sign(call, host: host, at: Self.time, nonce: Self.nonce)

        let lines = try lines(of: request)
        #expect(lines[0] == "\(vector.method) \(try #require(vector.requestTarget)) HTTP/1.1")
        #expect(lines[1] == "host: \(host)")
        #expect(text(request.body) == vector.body)
        let headers =
            vector.headersSigned.map { "\($0.key): \($0.value)" } + [
                "authorization: \(vector.authorization)", "accept: application/json",
                "content-length: \(request.body.count)",
            ]
        #expect(lines[1...].sorted() == headers.sorted())
        #expect(text(request.evidence.stringToSign) == vector.stringToSign)
    }

    @Test(arguments: v1)
    func `composes the request of a V1 vector`(_ vector: SigningVectors.V1) throws {
        let credentials = Credentials(
            accessKeyID: try #require(vector.signedParams["AccessKeyId"]),
            accessKeySecret: Secret(vector.accessKeySecret),
            securityToken: vector.securityToken.map { Secret($0) },
        )
        let call = Call(
            .sendBatchSms,
            query: parameters(vector.signedParams.filter { ["TemplateCode", "OutId"].contains($0.key) }),
            form: parameters(vector.signedParams.filter { $0.key.hasSuffix("Json") }),
        )
        var signer = RequestSigner(scheme: .v1, credentials: credentials)
        let request = signer.sign(call, host: "dysmsapi.aliyuncs.com", at: Self.time, nonce: Self.nonce)

        #expect(text(request.body) == vector.body)
        #expect(text(request.evidence.stringToSign) == vector.stringToSign)
        #expect(
            try lines(of: request) == [
                "POST \(try #require(vector.requestTarget)) HTTP/1.1",
                "host: dysmsapi.aliyuncs.com",
                "content-type: application/x-www-form-urlencoded",
                "accept: application/json",
                "content-length: \(request.body.count)",
            ]
        )
    }

    /// What is kept from one request to the next must not show: neither time, nonce and payload nor what is asked.
    @Test(arguments: SignatureScheme.allCases, [1, 2, 3] as [UInt64])
    func `makes the same request with used storage, whatever was signed before`(
        _ scheme: SignatureScheme,
        seed: UInt64,
    ) {
        var random = SeededGenerator(seed: seed)
        let credentials = Credentials(accessKeyID: "testid", accessKeySecret: Secret("testsecret"))
        let values = ["short", String(repeating: "云", count: 999), "", "again"]
        let actions = [Action.sendBatchSms, .sendSms, .querySendDetails]
        var used = RequestSigner(scheme: scheme, credentials: credentials)
        for _ in 0..<200 {
            let value = values[Int.random(in: 0..<values.count, using: &random)]
            let form = value.isEmpty ? EncodedParameters() : parameters(["A": value])
            let action = actions[Int.random(in: 0..<actions.count, using: &random)]
            let call = Call(action, query: parameters(["OutId": value]), form: form)
            let host = Bool.random(using: &random) ? "localhost" : "127.0.0.1:8080"
            let time = Self.time + Int.random(in: 0...1, using: &random)
            let nonce = Nonce(using: &random)
            var fresh = RequestSigner(scheme: scheme, credentials: credentials)
            let (first, second) = (
                used.sign(call, host: host, at: time, nonce: nonce),
                fresh.sign(call, host: host, at: time, nonce: nonce)
            )
            #expect(text(first.head) == text(second.head))
            #expect(first.body == second.body)
            #expect(first.evidence.stringToSign == second.evidence.stringToSign)
        }
    }

    @Test(arguments: SignatureScheme.allCases)
    func `tells a wrong secret from a changed text by the refusal`(_ scheme: SignatureScheme) {
        let credentials = Credentials(accessKeyID: "testid", accessKeySecret: Secret("testsecret"))
        var signer = RequestSigner(scheme: scheme, credentials: credentials)
        let call = Call(.sendBatchSms, form: parameters(["PhoneNumberJson": "[\"15000000000\"]"]))
        let request = signer.sign(call, host: "localhost", at: Self.time, nonce: Self.nonce)
        let refusal =
            switch scheme {
            case .v3: "Specified signature does not match our calculation. server StringToSign is [%] server C"
            case .v1: "Specified signature is not matched with our calculation. server string to sign is:%"
            }
        let signed = text(request.evidence.stringToSign)
        let same = refusal.split(separator: "%", omittingEmptySubsequences: false).joined(separator: signed)

        #expect(SignatureDiagnosis(message: same, evidence: request.evidence) == .secretDiffers)
        #expect(SignatureDiagnosis(message: refusal, evidence: request.evidence) == .textDiffers)
        #expect(SignatureDiagnosis(message: "", evidence: request.evidence) == .unknown)
    }

    @Test func `makes nonces of 32 hexadecimal digits`() {
        struct Fixed: RandomNumberGenerator {
            var values: [UInt64] = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210]
            mutating func next() -> UInt64 { values.removeFirst() }
        }
        var generator = Fixed()
        #expect(Nonce(using: &generator).text == "0123456789abcdeffedcba9876543210")
    }

    /// The lines of a request's head, without the empty one at the end.
    func lines(of request: SignedRequest) throws -> [String] {
        let lines = text(request.head).split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        try #require(lines.suffix(2) == ["", ""])
        return lines.dropLast(2)
    }
}
