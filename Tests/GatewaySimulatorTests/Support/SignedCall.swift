// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import GatewaySimulator

/// A call that a test makes, signed as a client would.
struct SignedCall: Sendable {
    enum Placement: CaseIterable, Sendable { case query, body, split }
    enum Scheme: CaseIterable, Sendable { case v1, v3 }

    var action: String
    var parameters: [(name: String, value: String)]
    var method = "POST"
    var placement = Placement.split
    var scheme = Scheme.v3
    var version = "2017-05-25"
    var accessKeyID = TestAccount.accessKeyID
    var accessKeySecret = TestAccount.accessKeySecret
    var securityToken: String?
    var nonce: String?
    var time = TestAccount.now
    var timestamp: String?
    var accept = "application/json"
    var format = "JSON"

    init(_ action: String, _ parameters: [(name: String, value: String)]) {
        self.action = action
        self.parameters = parameters
    }

    /// The names that the SDKs put into the query when they split.
    ///
    /// Source: api 1.3.
    private static let queryNames: Set<String> = ["OutId", "TemplateCode"]

    /// The request; each has a nonce of its own unless the call says otherwise.
    func request(host: String = "127.0.0.1") -> SimulatedRequest {
        var generator = SystemRandomNumberGenerator()
        let nonce = nonce ?? Nonce(using: &generator).text
        return scheme == .v1 ? requestV1(nonce, host: host) : requestV3(nonce, host: host)
    }

    private func isInQuery(_ name: String) -> Bool {
        switch placement {
        case .query: true
        case .body: false
        case .split: Self.queryNames.contains(name)
        }
    }

    private func requestV1(_ nonce: String, host: String) -> SimulatedRequest {
        var common = [
            (name: "Action", value: action), ("Version", version), ("Format", format), ("AccessKeyId", accessKeyID),
            ("SignatureMethod", "HMAC-SHA1"), ("SignatureVersion", "1.0"), ("SignatureNonce", nonce),
            ("Timestamp", timestamp ?? time.timestamp),
        ]
        if let securityToken { common.append(("SecurityToken", securityToken)) }
        let all = (common + parameters).sorted { $0.name < $1.name }
        let stringToSign = "\(method)&%2F&\(encoded(form(all)))"
        var text: [UInt8] = []
        Base64.append(hmac(.sha1, key: accessKeySecret + "&", stringToSign).span, to: &text)
        common.append(("Signature", String(decoding: text, as: UTF8.self)))
        let isInBody = placement == .body
        let query = (isInBody ? [] : common) + parameters.filter { isInQuery($0.name) }
        let body = (isInBody ? common : []) + parameters.filter { !isInQuery($0.name) }
        return makeRequest(query: query, body: body, headers: [HeaderField("host", host)])
    }

    private func requestV3(_ nonce: String, host: String) -> SimulatedRequest {
        let query = parameters.filter { isInQuery($0.name) }.sorted { $0.name < $1.name }
        let body = form(parameters.filter { !isInQuery($0.name) })
        var headers = [
            HeaderField("host", host), HeaderField("x-acs-action", action), HeaderField("x-acs-version", version),
            HeaderField("x-acs-date", timestamp ?? time.timestamp), HeaderField("x-acs-signature-nonce", nonce),
            HeaderField("x-acs-content-sha256", hex(AlibabaCloudSMS.Digest.of(body.utf8.span, .sha256))),
        ]
        if !body.isEmpty { headers.append(HeaderField("content-type", "application/x-www-form-urlencoded")) }
        if let securityToken { headers.append(HeaderField("x-acs-security-token", securityToken)) }
        headers.sort { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let lines = headers.map { "\($0.name):\($0.value)\n" }.joined()
        let hash = hex(AlibabaCloudSMS.Digest.of(body.utf8.span, .sha256))
        let canonical = "\(method)\n/\n\(form(query))\n\(lines)\n\(names)\n\(hash)"
        let stringToSign = "ACS3-HMAC-SHA256\n" + hex(AlibabaCloudSMS.Digest.of(canonical.utf8.span, .sha256))
        let signature = hex(hmac(.sha256, key: accessKeySecret, stringToSign))
        headers.append(HeaderField("accept", accept))
        headers.append(
            HeaderField(
                "Authorization",
                "ACS3-HMAC-SHA256 Credential=\(accessKeyID),SignedHeaders=\(names),Signature=\(signature)",
            )
        )
        return SimulatedRequest(method: method, target: target(query), headers: headers, body: Array(body.utf8))
    }

    private func makeRequest(
        query: [(name: String, value: String)],
        body: [(name: String, value: String)],
        headers: [HeaderField],
    ) -> SimulatedRequest {
        let type = HeaderField("content-type", "application/x-www-form-urlencoded")
        return SimulatedRequest(
            method: method,
            target: target(query),
            headers: body.isEmpty ? headers : headers + [type],
            body: Array(form(body).utf8),
        )
    }

    private func target(_ query: [(name: String, value: String)]) -> [UInt8] {
        Array((query.isEmpty ? "/" : "/?" + form(query)).utf8)
    }
}

/// The account of the tests and its time.
enum TestAccount {
    static let accessKeyID = "testid"
    static let accessKeySecret = "testsecret"
    /// The time of the signing vectors, 2024-03-01T08:00:00Z.
    static let now = WallTime(seconds: 1_709_280_000)

    static var account: SimulatedAccount {
        .default(accessKeyID: accessKeyID, accessKeySecret: accessKeySecret)
    }

    static var configuration: SimulatorConfiguration {
        var configuration = SimulatorConfiguration()
        configuration.seed = 42
        configuration.account = account
        return configuration
    }
}

extension SignedCall {
    /// A SendBatchSms of some numbers with one sign name and one value each.
    static func batch(
        _ phoneNumbers: [String] = ["15000000000", "15000000001"],
        templateCode: String = "SMS_0000",
        signName: String = "阿里云",
        values: [String]? = nil,
        outID: String? = nil,
    ) -> SignedCall {
        let objects = (values ?? phoneNumbers.indices.map { "12\($0)4" }).map { "{\"code\":\"\($0)\"}" }
        var parameters = [
            (name: "PhoneNumberJson", value: "[\(phoneNumbers.map { "\"\($0)\"" }.joined(separator: ","))]"),
            ("SignNameJson", "[\(phoneNumbers.map { _ in "\"\(signName)\"" }.joined(separator: ","))]"),
            ("TemplateCode", templateCode),
            ("TemplateParamJson", "[\(objects.joined(separator: ","))]"),
        ]
        if let outID { parameters.append(("OutId", outID)) }
        return SignedCall("SendBatchSms", parameters)
    }

    /// A QuerySendDetails of one number.
    static func details(_ phoneNumber: String, date: String = "20240301", bizID: String? = nil) -> SignedCall {
        var parameters = [
            (name: "PhoneNumber", value: phoneNumber), ("SendDate", date), ("PageSize", "50"), ("CurrentPage", "1"),
        ]
        if let bizID { parameters.append(("BizId", bizID)) }
        return SignedCall("QuerySendDetails", parameters)
    }

    /// The same call with a parameter set, or taken away by `nil`.
    func setting(_ name: String, _ value: String?) -> SignedCall {
        var call = self
        let index = call.parameters.firstIndex { $0.name == name }
        switch (index, value) {
        case (let index?, let value?): call.parameters[index].value = value
        case (let index?, nil): call.parameters.remove(at: index)
        case (nil, let value?): call.parameters.append((name, value))
        case (nil, nil): break
        }
        return call
    }

    /// The same call changed by a closure.
    func with(_ change: (inout SignedCall) -> Void) -> SignedCall {
        var call = self
        change(&call)
        return call
    }
}

// MARK: Encoding

func encoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    PercentEncoding.append(text.utf8.span, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}

func form(_ parameters: [(name: String, value: String)]) -> String {
    parameters.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
}

func hex(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    Hexadecimal.append(bytes.span, to: &text)
    return String(decoding: text, as: UTF8.self)
}

func hmac(_ algorithm: DigestAlgorithm, key: String, _ message: String) -> [UInt8] {
    var hmac = HMAC(algorithm, key: key.utf8.span)
    hmac.update(message.utf8.span)
    return hmac.finish().bytes
}
