// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import FoundationEssentials
import Testing

/// The signing vectors of `Tests/Conformance/signing.json`.
struct SigningVectors: Decodable {
    struct V1: Decodable, CustomTestStringConvertible {
        var id: String
        var method: String
        var host: String?
        var placement: String?
        var accessKeySecret: String
        var securityToken: String?
        var signedParams: [String: String]
        var canonicalizedQuery: String
        var stringToSign: String
        var hmacKey: String
        var signature: String
        var signaturePercentEncoded: String?
        var requestTarget: String?
        var contentType: String?
        var body: String?

        var testDescription: String { id }
    }

    struct V3: Decodable, CustomTestStringConvertible {
        var id: String
        var method: String
        var accessKeyId: String
        var accessKeySecret: String
        var securityToken: String?
        var queryParams: [String: String]
        var bodyParams: [String: String]?
        var body: String
        var headersSigned: [String: String]
        var canonicalQuery: String
        var canonicalHeaders: String
        var signedHeaders: String
        var hashedPayload: String
        var canonicalRequest: String
        var hashedCanonicalRequest: String
        var stringToSign: String
        var signature: String
        var authorization: String
        var requestTarget: String?

        var testDescription: String { id }
    }

    struct Queue: Decodable, CustomTestStringConvertible {
        var id: String
        var method: String
        var resource: String
        var headers: [String: String]
        var body: String
        var stringToSign: String
        var authorization: String

        var testDescription: String { id }
    }

    struct Published: Decodable {
        var v1: V1?
        var v3: V3?

        init(from decoder: any Decoder) throws {
            let scheme = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .scheme)
            if scheme == "V1" { v1 = try V1(from: decoder) } else { v3 = try V3(from: decoder) }
        }

        enum CodingKeys: CodingKey { case scheme }
    }

    var v1: [V1]
    var v3: [V3]
    var published: [Published]
    var mns: [Queue]

    static let file: SigningVectors? = {
        let folder = URL(filePath: #filePath).appending(path: "../../../Conformance").standardized
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(
            SigningVectors.self,
            from: Data(contentsOf: folder.appending(path: "signing.json")),
        )
    }()

    static var allV1: [V1] { (file?.v1 ?? []) + (file?.published ?? []).compactMap(\.v1) }
    static var allQueue: [Queue] { file?.mns ?? [] }
    static var allV3: [V3] { (file?.v3 ?? []) + (file?.published ?? []).compactMap(\.v3) }
}

/// Parameters out of a dictionary, in the order of their names.
func parameters(_ values: [String: String]) -> EncodedParameters {
    var parameters = EncodedParameters()
    for (name, value) in values.sorted(by: { $0.key < $1.key }) { parameters.append(name, value) }
    return parameters
}
