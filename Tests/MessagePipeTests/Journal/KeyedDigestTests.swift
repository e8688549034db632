// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct KeyedDigestTests {
    /// The first 96 of 128 bits of SipHash-1-3 of the bytes 0, 1, 2, … under the key 00 01 … 0f.
    ///
    /// Source: `openssl mac -macopt size:16 -macopt c-rounds:1 -macopt d-rounds:3 SIPHASH`.
    @Test(
        arguments: zip(
            [0, 1, 7, 8, 15, 63],
            [
                "E77EBCB22788A5BEFD62DB6A", "FC6F370460D3EDA85E0573CC", "1084B923F2AAE0C3A62F2EC8",
                "AA12FEE1D5E3DAB4724F16AB", "C17E5505B2BD526C2921CDEC", "4C5800E34EFE426F079F6B0A",
            ],
        )
    )
    func `gives the published digests`(count: Int, expected: String) {
        let digest = KeyedDigest(key: Array(0..<16)).digest(of: [UInt8](0..<UInt8(count)).span)
        func digits(_ value: some FixedWidthInteger) -> String {
            let digits = String(value.byteSwapped, radix: 16, uppercase: true)
            return String(repeating: "0", count: value.bitWidth / 4 - digits.count) + digits
        }
        #expect(digits(digest.low) + digits(digest.high) == expected)
    }
}
