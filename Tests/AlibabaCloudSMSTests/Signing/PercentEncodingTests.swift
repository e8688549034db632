// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct PercentEncodingTests {
    static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~".utf8)
    static let samples = ["", "a", " ", "~*+ /:%\"'!()\n\t", "云通信", "a云b", "😀", String(repeating: "产~", count: 999)]

    @Test func `keeps the unreserved bytes and encodes every other one in upper case`() {
        for byte in UInt8.min...UInt8.max {
            var encoded: [UInt8] = []
            PercentEncoding.append([byte].span, to: &encoded)
            #expect(text(encoded) == Self.encoded(byte))
        }
    }

    @Test(arguments: samples)
    func `encodes a text as its bytes one after the other`(_ sample: String) {
        var encoded = Array("kept=".utf8)
        PercentEncoding.append(sample.utf8.span, to: &encoded)
        #expect(text(encoded) == "kept=" + sample.utf8.map(Self.encoded).joined())
    }

    /// One byte, by the words of RFC 3986, section 2.
    private static func encoded(_ byte: UInt8) -> String {
        if unreserved.contains(byte) { return text([byte]) }
        return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }

    @Test func `encodes every part of a text alone`() {
        let bytes = Array("a 云".utf8)
        for start in 0...bytes.count {
            for end in start...bytes.count {
                var part: [UInt8] = []
                PercentEncoding.append(bytes.span, start..<end, to: &part)
                var copy: [UInt8] = []
                PercentEncoding.append(Array(bytes[start..<end]).span, to: &copy)
                #expect(part == copy)
            }
        }
    }

    @Test(arguments: samples)
    func `decodes what it encoded`(_ sample: String) {
        var encoded: [UInt8] = []
        PercentEncoding.append(sample.utf8.span, to: &encoded)
        #expect(PercentEncoding.decode(encoded.span) == Array(sample.utf8))
    }

    @Test(arguments: ["%", "%4", "a%4", "%4G", "%G4", "%%41"])
    func `refuses a percent sign without two digits`(_ broken: String) {
        #expect(PercentEncoding.decode(broken.utf8.span) == nil)
    }

    @Test func `decodes lower-case digits and leaves a plus sign alone`() {
        #expect(PercentEncoding.decode("%e4%ba%91+".utf8.span) == Array("云+".utf8))
    }
}
