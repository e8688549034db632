// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct V3SignerTests {
    @Test func `finds all vectors`() {
        #expect(SigningVectors.allV3.count == 14)
    }

    @Test(arguments: SigningVectors.allV3)
    func `reproduces every intermediate value`(_ vector: SigningVectors.V3) throws {
        let method = try #require(HTTPMethod(rawValue: vector.method))
        let query = parameters(vector.queryParams)
        #expect(text(query.bytes) == vector.canonicalQuery)

        var signer = V3Signer(accessKeyID: vector.accessKeyId, accessKeySecret: Secret(vector.accessKeySecret))
        var hashedPayload: [UInt8] = []
        signer.appendHash(of: vector.body.utf8.span, to: &hashedPayload)
        #expect(text(hashedPayload) == vector.hashedPayload)

        let fields = signedFields(vector.headersSigned)
        #expect(text(fields.canonical) == vector.canonicalHeaders)
        #expect(text(fields.names) == vector.signedHeaders)
        var authorization: [UInt8] = []
        signer.appendAuthorization(
            method: method,
            canonicalQuery: query.bytes.span,
            fields: fields,
            hashedPayload: hashedPayload.span,
            to: &authorization,
        )
        #expect(text(signer.canonicalRequest) == vector.canonicalRequest)
        #expect(text(signer.stringToSign) == vector.stringToSign)
        #expect(vector.stringToSign.hasSuffix("\n\(vector.hashedCanonicalRequest)"))
        #expect(text(authorization.suffix(64)) == vector.signature)
        #expect(text(authorization) == vector.authorization)
    }

    @Test func `gives the same signature again with used contexts`() {
        var signer = V3Signer(accessKeyID: "testid", accessKeySecret: Secret("testsecret"))
        let sign = { (signer: inout V3Signer) in
            var hash: [UInt8] = []
            signer.appendHash(of: "body".utf8.span, to: &hash)
            var authorization: [UInt8] = []
            signer.appendAuthorization(
                method: .post,
                canonicalQuery: "a=b".utf8.span,
                fields: signedFields(["host": "localhost"]),
                hashedPayload: hash.span,
                to: &authorization,
            )
            return authorization
        }
        let first = sign(&signer)
        #expect(sign(&signer) == first)
    }
}

/// Fields out of a dictionary, as they have to be given: names in lower case and in order, values without blanks around them.
func signedFields(_ values: [String: String]) -> SignedFields {
    var fields = SignedFields()
    let names = values.map { ($0.key.lowercased(), withoutBlanksAround($0.value)) }
    for (name, value) in names.sorted(by: { $0.0 < $1.0 }) { fields.append(name, value) }
    return fields
}

private func withoutBlanksAround(_ value: String) -> String {
    String(value.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
}
