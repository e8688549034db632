// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct KeyedDigestTests {
    /// SipHash-2-4 with 128 bits of the bytes 0, 1, 2, … under the key 00 01 … 0f; `openssl mac SIPHASH` gives the same.
    @Test(
        arguments: zip(
            [0, 1, 7, 8, 15, 63],
            [
                "A3817F04BA25A8E66DF67214C7550293", "DA87C1D86B99AF44347659119B22FC45",
                "A1F1EBBED8DBC153C0B84AA61FF08239", "3B62A9BA6258F5610F83E264F31497B4",
                "5493E99933B0A8117E08EC0F97CFC3D9", "5150D1772F50834A503E069A973FBD7C",
            ],
        )
    )
    func `gives the published digests`(count: Int, expected: String) {
        let digest = KeyedDigest(key: Array(0..<16)).digest(of: [UInt8](0..<UInt8(count)).span)
        let halves = [digest.low.byteSwapped, digest.high.byteSwapped].map { half in
            let digits = String(half, radix: 16, uppercase: true)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        #expect(halves.joined() == expected)
    }
}
