// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct QueueSignerTests {
    @Test func `finds all vectors`() {
        #expect(SigningVectors.allQueue.count == 2)
    }

    @Test(arguments: SigningVectors.allQueue)
    func `reproduces the headers of the official client`(_ vector: SigningVectors.Queue) throws {
        var expected = Dictionary(uniqueKeysWithValues: vector.headers.map { ($0.key.lowercased(), $0.value) })
        expected["connection"] = nil
        let credentials = Credentials(
            accessKeyID: "testid",
            accessKeySecret: Secret("testsecret"),
            securityToken: expected["security-token"].map { Secret($0) },
        )
        var signer = QueueSigner(credentials: credentials)
        let host = try #require(expected["host"])
        for _ in 0..<2 {
            let headers = signer.headers(
                method: vector.method,
                host: host,
                resource: vector.resource,
                body: vector.body.utf8.span,
                at: RequestSignerTests.time,
            )
            #expect(headers.first == HTTPField("host", host))
            #expect(Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) }) == expected)
        }
        #expect(expected["authorization"] == vector.authorization)
        let stringToSign = QueueSigner.stringToSign(
            method: vector.method,
            contentMD5: expected["content-md5"] ?? "",
            contentType: expected["content-type"] ?? "",
            date: try #require(expected["date"]),
            resource: vector.resource,
        )
        #expect(stringToSign == vector.stringToSign)
    }
}
