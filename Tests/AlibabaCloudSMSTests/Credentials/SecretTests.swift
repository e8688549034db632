// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct SecretTests {
    static let text = "s3cr3t-value"

    @Test func `never shows itself, wherever it is held`() {
        let secret = Secret(Self.text)
        let credentials = Credentials(accessKeyID: "testid", accessKeySecret: secret, securityToken: secret)
        var shown = ["\(secret)", String(reflecting: secret), "\(credentials)", String(reflecting: credentials)]
        shown.append("\([secret]) \(["key": secret]) \(Optional(secret) as Any)")
        for value in [secret, credentials, [credentials]] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            shown.append(dumped)
        }
        for text in shown { #expect(!text.contains(Self.text)) }
        #expect("\(secret)" == "<redacted>")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test func `gives its text to those who ask for it`() {
        #expect(Secret(Self.text).revealed == Self.text)
        #expect(Secret(Self.text).revealedBytes == Array(Self.text.utf8))
    }

    @Test(arguments: [("a", "a", true), ("a", "b", false), ("a", "ab", false), ("", "", true)])
    func `compares texts`(_ first: String, _ second: String, _ areEqual: Bool) {
        #expect((Secret(first) == Secret(second)) == areEqual)
    }
}
