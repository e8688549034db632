// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GatewaySimulator
import MessagePipe
import Testing

/// The requests of `Tests/Conformance/signing.json` as they arrive at a gateway.
struct VectorRequest: Sendable, CustomTestStringConvertible {
    var id: String
    var request: SimulatedRequest
    var testDescription: String { id }

    static let all: [VectorRequest] = {
        let path = URL(filePath: #filePath).appending(path: "../../../Conformance/signing.json").standardized
        guard let data = try? Data(contentsOf: path),
            let file = jsonObject(data)
        else { return [] }
        let vectors = (file["v1"] as? [[String: Any]] ?? []) + (file["v3"] as? [[String: Any]] ?? [])
        return vectors.compactMap(VectorRequest.init)
    }()

    private init?(_ vector: [String: Any]) {
        guard let id = vector["id"] as? String, let method = vector["method"] as? String,
            let target = vector["request_target"] as? String, let body = vector["body"] as? String
        else { return nil }
        var headers: [HeaderField] = []
        if let signed = vector["headers_signed"] as? [String: String] {
            headers = signed.map { HeaderField($0.key, $0.value) }
            headers.append(HeaderField("Authorization", vector["authorization"] as? String ?? ""))
        } else if let contentType = vector["content_type"] as? String {
            headers = [HeaderField("content-type", contentType)]
        }
        self.id = id
        request = SimulatedRequest(method: method, target: Array(target.utf8), headers: headers, body: Array(body.utf8))
    }
}

@Suite struct SigningVectorTests {
    /// Codes that mean that the signature, or something before it, was refused.
    private static let refusals: Set<String> = ["SignatureDoesNotMatch", "IncompleteSignature"]

    private func code(_ request: SimulatedRequest) -> String {
        var account = TestAccount.account
        var temporary = AccessKey(secret: TestAccount.accessKeySecret)
        temporary.securityToken = "CAIS+token/with=chars&and~tilde"
        if request.header("x-acs-security-token") != nil
            || String(decoding: request.target, as: UTF8.self).contains("SecurityToken")
        {
            account.accessKeys[TestAccount.accessKeyID] = temporary
        }
        var rules = GatewayRules(configuration: SimulatorConfiguration(), account: account)
        var generator = SeededGenerator(seed: 1)
        return rules.answer(request, at: TestAccount.now, using: &generator).member("Code") ?? ""
    }

    @Test func `knows all vectors`() {
        #expect(VectorRequest.all.count == 22)
    }

    @Test(arguments: VectorRequest.all)
    func `accepts the signature of a vector`(vector: VectorRequest) {
        let code = code(vector.request)
        #expect(code == "OK" || code.hasPrefix("isv."), "the gateway itself refused with \(code)")
    }

    @Test(arguments: VectorRequest.all)
    func `refuses a vector with one changed byte in its values`(vector: VectorRequest) {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            guard let request = Self.changed(vector.request, using: &generator) else { continue }
            let code = code(request)
            let isRefused = Self.refusals.contains(code) || code.hasPrefix("Invalid") || code.hasPrefix("Missing")
            #expect(isRefused, "seed \(seed): \(code) for \(String(decoding: request.target, as: UTF8.self))")
        }
    }

    @Test(arguments: VectorRequest.all.filter { !$0.request.body.isEmpty })
    func `names a changed body by its code`(vector: VectorRequest) throws {
        var request = vector.request
        let index = try #require(request.body.firstIndex { Character(Unicode.Scalar($0)).isNumber })
        request.body[index] = request.body[index] == UInt8(ascii: "3") ? UInt8(ascii: "4") : UInt8(ascii: "3")
        // In vector v1-04 the first digit stands in the access key's parameters; it is refused all the same.
        #expect(Self.refusals.contains(code(request)) || vector.id == "v1-04")
    }

    /// Changes one letter or digit of the target, the body or a header value into another one.
    private static func changed(_ request: SimulatedRequest, using generator: inout SeededGenerator)
        -> SimulatedRequest?
    {
        var request = request
        let part = Int.random(in: 0..<3, using: &generator)
        switch part {
        case 0:
            guard let changed = replaced(request.target, using: &generator) else { return nil }
            request.target = changed
        case 1:
            guard let changed = replaced(request.body, using: &generator) else { return nil }
            request.body = changed
        default:
            let signed = request.headers.indices.filter { request.headers[$0].name.lowercased().hasPrefix("x-acs-") }
            guard let index = signed.randomElement(using: &generator),
                let changed = replaced(Array(request.headers[index].value.utf8), using: &generator)
            else { return nil }
            request.headers[index].value = String(decoding: changed, as: UTF8.self)
        }
        return request
    }

    /// One letter or digit changed; not a digit of a percent-encoding, whose case may change without changing the value.
    private static func replaced(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8]? {
        let places = bytes.indices.filter { index in
            let isPlain =
                Character(Unicode.Scalar(bytes[index])).isLetter || Character(Unicode.Scalar(bytes[index])).isNumber
            return isPlain && bytes[index] < 0x80 && !bytes[max(0, index - 2)..<index].contains(UInt8(ascii: "%"))
        }
        guard let place = places.randomElement(using: &generator) else { return nil }
        var bytes = bytes
        bytes[place] = bytes[place] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")
        return bytes
    }
}
