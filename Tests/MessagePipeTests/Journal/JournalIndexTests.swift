// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct MessageIdentityTests {
    private static func identities(_ lines: String...) -> [MessageIdentity] {
        var splitter = LineSplitter(maximumLineBytes: 1 << 20)
        var parser = MessageParser(
            defaults: .init(signName: "甲", templateCode: "T"),
            maximumLineBytes: 1 << 20,
            identifier: MessageIdentifier(salt: [UInt8](repeating: 7, count: 16)),
        )
        let block = splitter.append(Array((lines.joined(separator: "\n") + "\n").utf8))
        return parser.parse(block, lines: block.lines.indices).identities
    }

    @Test func `is the same for every spelling of the same content`() {
        let found = Self.identities(
            #"{"PhoneNumber":"13900000001","TemplateParam":{"a":"1","b":"é"}}"#,
            #"{ "order":7, "TemplateParam" : { "a" : 1 , "b" : "\u00e9" }, "PhoneNumber":13900000001, "SignName":"\u7532" }"#,
            #"{"PhoneNumber":"13900000001","TemplateCode":"T","TemplateParam":"{\"a\":\"1\",\"b\":\"é\"}","Code":"OK"}"#,
        )
        #expect(found[0] == found[1])
        #expect(found[0] == found[2])
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
        #expect(found.last?.content != nil)
    }

    @Test func `goes by the Id where there is one`() {
        let found = Self.identities(
            #"{"Id":"5","PhoneNumber":"13900000001"}"#,
            #"{"Id":5,"PhoneNumber":"13900000001"}"#,
            #"{"Id":"\u0035","PhoneNumber":"13900000002"}"#,
        )
        #expect(found[0] == found[1])
        #expect(found[0].key == found[2].key)
        #expect(found[0].content != found[2].content)
    }
}
