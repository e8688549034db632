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
        let hashedPayload = signer.hashedPayload(vector.body.utf8.span)
        #expect(hashedPayload == vector.hashedPayload)

        let signature = signer.sign(
            method: method,
            canonicalQuery: query.bytes.span,
            headers: vector.headersSigned.map { HTTPField($0.key, $0.value) },
            hashedPayload: hashedPayload,
        )
        #expect(text(signature.canonicalRequest) == vector.canonicalRequest)
        #expect(text(signature.canonicalRequest).contains("\n\(vector.canonicalHeaders)\n"))
        #expect(signature.signedHeaders == vector.signedHeaders)
        #expect(signature.hashedCanonicalRequest == vector.hashedCanonicalRequest)
        #expect(signature.stringToSign == vector.stringToSign)
        #expect(signature.signature == vector.signature)
        #expect(signature.authorization == vector.authorization)
    }

    @Test func `gives the same signature again with used contexts`() {
        var signer = V3Signer(accessKeyID: "testid", accessKeySecret: Secret("testsecret"))
        let sign = { (signer: inout V3Signer) in
            signer.sign(
                method: .post,
                canonicalQuery: "a=b".utf8.span,
                headers: [HTTPField("host", "localhost")],
                hashedPayload: signer.hashedPayload("body".utf8.span),
            )
        }
        let first = sign(&signer)
        #expect(sign(&signer) == first)
    }

    @Test(arguments: [
        (["x-b: 2", "X-A: 1"], "x-a:1\nx-b:2\n"),
        (["x-a: z", "X-A:  b ", "x-a: a"], "x-a:a,b,z\n"),
        (["x-a:  \t "], "x-a:\n"),
        (["x-a:\t inner  blanks stay \t"], "x-a:inner  blanks stay\n"),
    ])
    func `sorts, trims and joins headers`(_ lines: [String], _ canonical: String) {
        let headers = lines.map { line in
            HTTPField(String(line.prefix { $0 != ":" }), String(line.drop { $0 != ":" }.dropFirst()))
        }
        var signer = V3Signer(accessKeyID: "testid", accessKeySecret: Secret("testsecret"))
        let signature = signer.sign(
            method: .get,
            canonicalQuery: "".utf8.span,
            headers: headers,
            hashedPayload: "hash",
        )
        #expect(
            text(signature.canonicalRequest) == "GET\n/\n\n\(canonical)\n\(signature.signedHeaders)\nhash"
        )
    }
}
