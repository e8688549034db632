// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct V1SignerTests {
    @Test func `finds all vectors`() {
        #expect(SigningVectors.allV1.count == 11)
    }

    @Test(arguments: SigningVectors.allV1)
    func `reproduces every intermediate value wherever the parameters travel`(_ vector: SigningVectors.V1) throws {
        let method = try #require(HTTPMethod(rawValue: vector.method))
        let all = parameters(vector.signedParams)
        #expect(text(all.bytes) == vector.canonicalizedQuery)
        #expect(vector.hmacKey == vector.accessKeySecret + "&")

        let arrays = parameters(vector.signedParams.filter { $0.key.hasSuffix("Json") })
        let others = parameters(vector.signedParams.filter { !$0.key.hasSuffix("Json") })
        var signer = V1Signer(accessKeySecret: Secret(vector.accessKeySecret))
        for (query, form) in [(all, EncodedParameters()), (EncodedParameters(), all), (others, arrays)] {
            let stringToSign = V1Signer.stringToSign(method: method, query: query, form: form)
            #expect(text(stringToSign) == vector.stringToSign)
            #expect(signer.sign(method: method, query: query, form: form) == vector.signature)
        }
    }

    @Test(arguments: SigningVectors.allV1.filter { $0.placement != nil })
    func `composes the target and the body of each placement`(_ vector: SigningVectors.V1) {
        let all = parameters(vector.signedParams)
        let arrays = parameters(vector.signedParams.filter { $0.key.hasSuffix("Json") })
        let others = parameters(vector.signedParams.filter { !$0.key.hasSuffix("Json") })
        let signature = parameters(["Signature": vector.signature])
        #expect(vector.signaturePercentEncoded.map { "Signature=\($0)" } == text(signature.bytes))
        switch vector.placement {
        case "query":
            #expect(vector.requestTarget == "/?" + text(all.merging(signature).bytes))
            #expect(vector.body == "")
        case "form-sdk":
            #expect(vector.requestTarget == "/?" + text(others.merging(signature).bytes))
            #expect(vector.body == text(arrays.bytes))
        default:
            #expect(vector.requestTarget == "/")
            #expect(vector.body == text(all.merging(signature).bytes))
        }
    }

    @Test func `signs a body longer than a chunk as a whole`() {
        let long = String(repeating: "云 a", count: 20_000)
        var query = EncodedParameters()
        query.append("A", "1")
        var form = EncodedParameters()
        form.append("B", long)
        let stringToSign = V1Signer.stringToSign(method: .post, query: query, form: form)
        var hmac = HMAC(.sha1, key: "secret&".utf8.span)
        hmac.update(stringToSign.span)
        var base64: [UInt8] = []
        Base64.append(hmac.finish().bytes.span, to: &base64)

        var signer = V1Signer(accessKeySecret: Secret("secret"))
        #expect(signer.sign(method: .post, query: query, form: form) == text(base64))
    }
}
