// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import FoundationEssentials
import Testing

struct DigestTests {
    /// Source: FIPS 180-4 examples; RFC 1321, section A.5.
    @Test(arguments: [
        (DigestAlgorithm.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
    ])
    func `knows the published digests`(_ algorithm: DigestAlgorithm, _ message: String, _ expected: String) {
        #expect(hexadecimal(Digest.of(message.utf8.span, algorithm)) == expected)
    }

    @Test func `gives the same digest for every cut of the message and starts over after each`() {
        let message = Array("The quick brown fox jumps over the lazy dog".utf8)
        let whole = Digest.of(message.span, .sha256)
        var digest = Digest(.sha256)
        for cut in 0...message.count {
            digest.update(message.span.extracting(first: cut))
            digest.update(message.span.extracting(droppingFirst: cut))
            #expect(digest.finish().bytes == whole)
        }
    }

    /// Source: RFC 4231 and RFC 2202, test cases 1, 2 and 6.
    @Test(arguments: [
        (
            DigestAlgorithm.sha256, [UInt8](repeating: 0x0b, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            .sha256, Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            .sha256, [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (.sha1, [UInt8](repeating: 0x0b, count: 20), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
        (.sha1, Array("Jefe".utf8), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (.sha256, [], "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ])
    func `knows the published keyed digests, also a second time`(
        _ algorithm: DigestAlgorithm,
        _ key: [UInt8],
        _ message: String,
        _ expected: String,
    ) {
        var hmac = HMAC(algorithm, key: key.span)
        for _ in 0..<2 {
            hmac.update(message.utf8.span)
            #expect(hexadecimal(hmac.finish().bytes) == expected)
        }
    }

    @Test func `writes Base64 as Foundation does`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 7) }
            var encoded: [UInt8] = []
            Base64.append(bytes.span, to: &encoded)
            #expect(text(encoded) == Data(bytes).base64EncodedString())
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = []
        Hexadecimal.append(bytes.span, to: &digits)
        return text(digits)
    }
}
