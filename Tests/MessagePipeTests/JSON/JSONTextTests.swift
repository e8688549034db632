// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct JSONTextTests {
    static func decoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return String(decoding: JSONText.decodeString(bytes.span, 0..<bytes.count), as: UTF8.self)
    }

    @Test(arguments: [
        (#""""#, ""), (#""a""#, "a"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0000""#, "\0"),
        (#""\u0041\u00e9\u4e2D""#, "Aé中"), (#""\ud83d\ude00!""#, "😀!"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
        (#""\\u0041""#, #"\u0041"#), (#""验证码\n""#, "验证码\n"),
    ])
    func `decodes every escape`(text: String, expected: String) {
        #expect(Self.decoded(text) == expected)
    }

    @Test func `escapes what must be escaped, and nothing else`() {
        var buffer: [UInt8] = []
        JSONText.appendString("a\"\\/\n\r\t\u{8}\u{C}\u{1F}\u{7F}中😀\0", to: &buffer)
        #expect(
            String(decoding: buffer, as: UTF8.self) == #""a\"\\/\n\r\t\u0008\u000c\u001f"# + "\u{7F}中😀" + #"\u0000""#
        )
    }

    @Test func `every scalar survives the way there and back`() throws {
        for value in stride(from: UInt32(0), to: 0x110000, by: 37) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(Character(scalar))
            var buffer: [UInt8] = []
            JSONText.appendString(text, to: &buffer)
            #expect(try JSONScanner.check(buffer.span, in: 0..<buffer.count) == .string)
            #expect(Self.decoded(String(decoding: buffer, as: UTF8.self)).utf8.elementsEqual(text.utf8))
        }
    }

    @Test func `no text is null`() {
        var buffer: [UInt8] = []
        JSONText.appendString(nil as String?, to: &buffer)
        #expect(buffer == Array("null".utf8))
    }
}
