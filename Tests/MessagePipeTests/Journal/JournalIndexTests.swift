// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct MessageIdentityTests {
    private static func chunk(_ lines: [String]) -> Chunk {
        var index = JournalIndex()
        let head = JournalHead(salt: [UInt8](repeating: 7, count: 16), accessKeyID: nil, endpoint: "https://gateway")
        index.apply(JournalEntry(.head(head), time: 0, synced: 0))
        var splitter = LineSplitter(maximumLineBytes: 1 << 20)
        var parser = MessageParser(
            defaults: .init(signName: "甲", templateCode: "T"),
            maximumLineBytes: 1 << 20,
            identifier: MessageIdentifier(index),
        )
        let block = splitter.append(Array((lines.joined(separator: "\n") + "\n").utf8))
        return parser.parse(block, lines: block.lines.indices)
    }

    private static func identities(_ lines: String...) -> [MessageIdentity] { chunk(lines).identities }

    @Test func `is the same for every spelling of the same content`() {
        let found = Self.identities(
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"1","b":"é"}}"#,
            #"{ "order":7, "TemplateParam" : { "a" : 1 , "b" : "\u00e9" }, "PhoneNumber":13900000001, "SignName":"\u7532" }"#,
            #"{"PhoneNumber":"13900000001","TemplateCode":"T","TemplateParam":"{\"a\":\"1\",\"b\":\"é\"}","Code":"OK"}"#,
        )
        // Each is one more of the same content.
        let first = found[0].key
        for (index, identity) in found.enumerated() {
            #expect(identity.key.high == first.high)
            #expect((identity.key == first) == (index == 0))
        }
        #expect(Set(found.map(\.key)).count == found.count)
    }

    @Test func `is the same for every spelling of parameters, and no other`() {
        func key(_ parameters: String) -> Digest96 {
            Self.identities(#"{"PhoneNumber":"13900000001","TemplateParam":\#(parameters)}"#)[0].key
        }
        let spellings = [
            [#"{"a":"x y","b":"é"}"#, #"{"a" : "x y", "b":"\u00e9"}"#, #""{\"a\":\"x y\",\"b\":\"é\"}""#],
            [#"{"a":"xy","b":"é"}"#, #"{ "a":"x\u0079","b":"é"}"#, #"{"a":"xy","b":"é" }"#],
            [#"{"a":"\"","b":"/"}"#, #"{"a":"\u0022","b":"\/"}"#],
            [#"{"a":"\n\u0001"}"#, #"{"a":"\u000A\u0001"}"#],
            [#"{"a":"\\n"}"#, #"{"a":"\u005cn"}"#],
            [#"{"a\"":"1"}"#, #"{"a\u0022":"1"}"#],
            [#"{"a":"1,b"}"#, #"{"a": "1,b"}"#],
            [#"{"a":"1","b":""}"#, #"{"a":1,"b":""}"#],
            ["{}", "{ }"],
        ]
        for (index, group) in spellings.enumerated() {
            for spelling in group {
                #expect(key(spelling) == key(group[0]), "\(spelling)")
                for other in spellings[..<index] { #expect(key(spelling) != key(other[0]), "\(spelling)") }
            }
        }
    }

    @Test func `differs in every member of the API`() {
        let found = Self.identities(
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"1"}}"#,
            #"{"PhoneNumber":"13900000002","TemplateParam":{"a":"1"}}"#,
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"2"}}"#,
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a1":""}}"#,
            #"{"PhoneNumber":"13900000001"}"#,
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"1"},"SignName":"乙"}"#,
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"1"},"TemplateCode":"U"}"#,
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"1"},"OutId":"o"}"#,
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"1"},"SmsUpExtendCode":"o"}"#,
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"1"},"Id":"x"}"#,
        )
        #expect(Set(found.map(\.key)).count == found.count)
    }

    /// What journals have must stand for the same messages in every later build.
    @Test(
        arguments: [
            (members: "", parts: ["13900000001", "T", "甲"], ending: UInt16(0x0043)),
            (#","TemplateCode":"SMS_0123456""#, ["13900000001", "SMS_0123456", "甲"], 0x0043),
            (#","OutId":"12345678","SignName":"\u4E59""#, ["13900000001", "T", "12345678", "乙"], 0x0143),
            (#","SmsUpExtendCode":"90""#, ["13900000001", "T", "甲", "90"], 0x0243),
            (
                #","TemplateParam":{"code": "0", "n":7}"#,
                ["13900000001", "T", "甲", #"{"code":"0","n":"7"}"#], 0x0443
            ),
            (#","Id":"a long Id of one's own""#, ["a long Id of one's own"], 0x0049),
        ]
    )
    func `is the digest of the parts, each ended and filled up to a word, and of what they are`(
        members: String,
        parts: [String],
        ending: UInt16,
    ) {
        var text: [UInt8] = []
        for part in parts {
            text += Array(part.utf8) + [0xFF]
            while text.count % 8 != 0 { text.append(0) }
        }
        text += [UInt8(ending & 0xFF), UInt8(ending >> 8)]
        let expected = KeyedDigest(key: [UInt8](repeating: 7, count: 16)).digest(of: text.span)
        #expect(Self.identities(#"{"PhoneNumber":"13900000001"\#(members)}"#)[0].key == expected)
    }

    @Test func `goes by the Id where there is one`() {
        let chunk = Self.chunk([
            #"{"Id":"5","PhoneNumber":"13900000001"}"#,
            #"{"Id":5,"PhoneNumber":"13900000001"}"#,
            #"{"Id":"\u0035","PhoneNumber":"13900000002"}"#,
            #"{"PhoneNumber":"13900000001"}"#,
            "no JSON",
            #"{"Id":"51","PhoneNumber":"13900000001"}"#,
        ])
        let keys = chunk.identities.map(\.key)
        #expect(keys[0] == keys[1] && keys[0] == keys[2])
        #expect(Set([keys[0], keys[3], keys[5]]).count == 3)
        let contents = chunk.ids.map(\.content)
        #expect(contents[0] == contents[1] && contents[0] == contents[5])
        #expect(contents[0] != contents[2] && !contents[..<3].contains(0))
        #expect(contents[3] == 0 && contents[4] == 0)
    }

    @Test func `does not depend on the messages around it`() {
        let lines = (0..<7).map { n in
            let signName = String(repeating: n % 2 == 0 ? "甲" : "\\u7532", count: n + 1)
            return #"{"PhoneNumber":"139\#(n)","SignName":"\#(signName)","TemplateParam":{"a":"\#(n * n * n)"}}"#
        }
        let together = Self.chunk(lines).identities.map(\.key)
        #expect(together == lines.map { Self.identities($0)[0].key })
        #expect(together.reversed() == Self.chunk(lines.reversed()).identities.map(\.key))
    }
}
