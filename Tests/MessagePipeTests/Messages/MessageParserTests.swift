// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct MessageParserTests {
    static let defaults = MessageParser.Defaults(signName: "默认", templateCode: "SMS_0")

    /// One parsed line.
    static func parse(_ line: String, defaults: MessageParser.Defaults = defaults) -> Chunk {
        Chunk.parsing(line, defaults: defaults)
    }

    /// A line with a number and further members.
    static func withMembers(_ members: String) -> Chunk {
        parse("{\"PhoneNumber\":\"13900000000\",\(members)}")
    }

    // MARK: - What is taken

    @Test func `takes each member of ours from where it stands`() throws {
        let line =
            #"{"PhoneNumber":"13900000000","SignName":"云通信","TemplateCode":"SMS_1","TemplateParam":{"code":"1"},"#
            + #""SmsUpExtendCode":"90","OutId":"o-1","Id":7,"order":{"n":[1]}}"#
        let chunk = Self.parse(line)
        let message = try #require(chunk.messages.first)
        #expect(chunk.fault() == nil && message.line == 1)
        #expect(chunk.text(message.phoneNumber) == "13900000000" && message.phoneKey == 13_900_000_000)
        #expect(chunk.text(message.signName) == "\"云通信\"")
        #expect(chunk.text(message.templateCode) == "SMS_1")
        #expect(chunk.text(message.templateParameters) == #"{"code":"1"}"#)
        #expect(chunk.text(message.extensionCode) == "\"90\"")
        #expect(chunk.text(message.outID) == "o-1")
        #expect(chunk.text(message.id) == "7")
        #expect(chunk.text(message.echo) + "}" == line)
        #expect(message.traits == [.hasParameters, .hasExtensionCode, .isObject, .hasMembers])
        #expect(chunk.rewritten.isEmpty)
    }

    @Test func `escapes in names and values are read`() throws {
        let chunk = Self.parse(
            #"{"Phone\u004eumber":"\u002b13900000000","SignName":"\u4e91","\u0054emplateCode":"SMS\u005f1","#
                + #""OutI\u0064":"a\n😀\ud83d\ude00","\u0049d":"\u0041","SmsUpExtendCode":"\u0039"}"#
        )
        let message = try #require(chunk.messages.first)
        #expect(chunk.fault() == nil)
        #expect(chunk.text(message.phoneNumber) == "+13900000000")
        #expect(chunk.text(message.signName) == #""\u4e91""#)
        #expect(chunk.text(message.templateCode) == "SMS_1")
        #expect(chunk.text(message.outID) == "a\n😀😀")
        #expect(chunk.text(message.id) == #""\u0041""#)
        #expect(chunk.text(message.extensionCode) == #""\u0039""#)
    }

    @Test func `a phone number may be a number of digits`() {
        let chunk = Self.parse(#"{"PhoneNumber":13900000000}"#)
        #expect(chunk.fault() == nil && chunk.text(chunk.messages[0].phoneNumber) == "13900000000")
    }

    @Test func `defaults stand in for members that are absent or empty`() {
        for members in [#""x":1"#, #""SignName":"","TemplateCode":"","OutId":"","SmsUpExtendCode":"""#] {
            let chunk = Self.withMembers(members)
            let message = chunk.messages[0]
            #expect(chunk.fault() == nil)
            #expect(chunk.text(message.signName) == "\"默认\"" && chunk.text(message.templateCode) == "SMS_0")
            #expect(
                message.outID.isEmpty && message.extensionCode.isEmpty && message.traits == [.isObject, .hasMembers]
            )
        }
        let quoted = Self.parse(#"{"PhoneNumber":"1"}"#, defaults: .init(signName: "a\"b", templateCode: "T"))
        #expect(quoted.text(quoted.messages[0].signName) == #""a\"b""#)
    }

    @Test(
        arguments: [
            (#"{"a":"1"}"#, #"{"a":"1"}"#), (#"{ "a" : "1" , "b":"" }"#, #"{ "a" : "1" , "b":"" }"#),
            (#"{"a":1.50}"#, #"{"a":"1.50"}"#), (#"{"a":1e5,"b":-0}"#, #"{"a":"1e5","b":"-0"}"#),
            (
                #"{ "a" : 12345678901234567890123 , "\u0062" : "x\n" }"#,
                #"{"a":"12345678901234567890123","\u0062":"x\n"}"#
            ),
            (#"{"q\"":007}"#, nil), (#"{"号":"中文😀"}"#, #"{"号":"中文😀"}"#),
        ] as [(String, String?)]
    )
    func `template parameters are strings, or numbers by their exact text`(object: String, expected: String?) throws {
        guard let expected else {
            guard case .invalidJSON = Self.withMembers("\"TemplateParam\":\(object)").fault() else {
                Issue.record("\(object) is taken")
                return
            }
            return
        }
        var asString: [UInt8] = []
        JSONText.appendString(object, to: &asString)
        for value in [object, String(decoding: asString, as: UTF8.self)] {
            let chunk = Self.withMembers("\"TemplateParam\":\(value)")
            #expect(chunk.fault() == nil)
            #expect(chunk.text(chunk.messages[0].templateParameters) == expected)
            #expect(chunk.messages[0].traits.contains(.hasParameters))
        }
    }

    @Test(arguments: [(#"{}"#, "{}"), (#"{ }"#, "{ }"), (#""{}""#, "{}"), (#"" { } ""#, "{ }")])
    func `empty template parameters are parameters too`(value: String, expected: String) {
        let chunk = Self.withMembers("\"TemplateParam\":\(value)")
        #expect(chunk.fault() == nil && chunk.messages[0].traits.contains(.hasParameters))
        #expect(chunk.text(chunk.messages[0].templateParameters) == expected)
    }

    @Test(
        arguments: [
            (#"" {}""#, "{}"), (#""{} ""#, "{}"), (#""\n\t{\"a\":\"b \"}\r\u0020""#, #"{"a":"b "}"#),
            (#"" {\"a\":1} ""#, #"{"a":"1"}"#), (#" { "a" : "1" } "#, #"{ "a" : "1" }"#),
        ] as [(String, String)]
    )
    func `blanks around template parameters are left out, and the message is sent`(
        value: String,
        expected: String,
    ) {
        let chunk = Self.withMembers("\"TemplateParam\":\(value)")
        #expect(chunk.text(chunk.messages[0].templateParameters) == expected)
        let bench = Bench { _ in }
        bench.read(count: 2, members: ",\"TemplateParam\":\(value)")
        bench.endInput()
        bench.answer(.success)
        #expect(bench.output().count == 2)
    }

    @Test func `urgent templates are known by their text`() {
        let defaults = MessageParser.Defaults(
            signName: "甲",
            templateCode: "SMS_3",
            urgentTemplates: ["SMS_1", "SMS_3"]
        )
        let lines = [
            #""x":1"#, #""TemplateCode":"SMS_1""#, #""TemplateCode":"SMS_\u0031""#, #""TemplateCode":"SMS_11""#,
        ]
        let urgent = lines.map {
            Self.parse("{\"PhoneNumber\":\"1\",\($0)}", defaults: defaults).messages[0].traits.contains(.isUrgent)
        }
        #expect(urgent == [true, true, true, false])
    }

    @Test func `part of a block becomes a chunk with the bytes of its own lines`() {
        var splitter = LineSplitter(maximumLineBytes: 1000)
        var parser = MessageParser(defaults: Self.defaults, maximumLineBytes: 1000)
        let lines = (0..<5).map { "{\"PhoneNumber\":\"1390000000\($0)\",\"x\":\"\($0)\"}" } + ["bad"]
        let block = splitter.append(Array((lines.joined(separator: "\n") + "\n").utf8))
        for range in [0..<6, 0..<0, 0..<2, 2..<5, 5..<6, 3..<3] {
            let chunk = parser.parse(block, lines: range)
            #expect(chunk.messages.map { Int($0.line) } == range.map { $0 + 1 })
            for (message, index) in zip(chunk.messages, range) {
                let echo = chunk.text(message.echo) + (message.traits.contains(.isObject) ? "}" : "")
                #expect(echo == lines[index])
            }
            if range.count < 6 { #expect(chunk.bytes.count <= range.count * 40) }
        }
    }

    // MARK: - What is refused

    static let faults: [(String, String)] = [
        ("", "isv.MOBILE_NUMBER_ILLEGAL"),
        (#""PhoneNumber":"""#, "isv.MOBILE_NUMBER_ILLEGAL"), (#""PhoneNumber":"abc""#, "isv.MOBILE_NUMBER_ILLEGAL"),
        (#""PhoneNumber":"139 0000""#, "isv.MOBILE_NUMBER_ILLEGAL"),
        (#""PhoneNumber":1.5"#, "isv.MOBILE_NUMBER_ILLEGAL"),
        (#""PhoneNumber":-1"#, "isv.MOBILE_NUMBER_ILLEGAL"), (#""PhoneNumber":1e5"#, "isv.MOBILE_NUMBER_ILLEGAL"),
        (#""PhoneNumber":null"#, "isv.INVALID_PARAMETERS"), (#""PhoneNumber":["1"]"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":true"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","SignName":1"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","SignName":null"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","TemplateCode":71175823"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","TemplateCode":{}"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","SmsUpExtendCode":9"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","OutId":9"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","OutId":[]"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","Id":null"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","Id":{}"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","Id":true"#, "isv.INVALID_PARAMETERS"),
        (#""PhoneNumber":"1","TemplateParam":[]"#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":null"#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":1"#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":"""#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":"[]""#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":"{\"a\":1} x""#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":"{\"a\":\"\n\"}""#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":{"a":{}}"#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":{"a":["b"]}"#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":{"a":true}"#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":{"a":null}"#, "isv.INVALID_JSON_PARAM"),
        (#""PhoneNumber":"1","TemplateParam":"{\"a\":null}""#, "isv.INVALID_JSON_PARAM"),
    ]

    @Test(arguments: faults)
    func `a member of a wrong type or form is refused with the API's code`(members: String, code: String) {
        let chunk = Self.parse("{\(members)}")
        #expect(chunk.fault()?.code == code)
        #expect(chunk.messages[0].traits.contains(.isObject))
    }

    @Test(arguments: [
        "", "x", "[]", "1", "null", "\"{}\"", "{", "{\"a\":1", "{} {}", "{\"a\":1,}", "{\"a\":\"\u{1}\"}",
    ])
    func `what is no JSON object is refused as such`(line: String) {
        guard !line.isEmpty else { return }
        let chunk = Self.parse(line)
        #expect(chunk.fault()?.code == "smspipe.INVALID_JSON")
        #expect(chunk.fault()?.message.contains("byte ") == true)
        #expect(!chunk.messages[0].traits.contains(.isObject))
        #expect(chunk.text(chunk.messages[0].echo) == line)
    }

    @Test func `a missing sign name or template is refused unless there is a default`() {
        let line = #"{"PhoneNumber":"1"}"#
        #expect(Self.parse(line, defaults: .init(templateCode: "T")).fault() == .missingSignName)
        #expect(Self.parse(line, defaults: .init(signName: "甲")).fault() == .missingTemplateCode)
        #expect(Self.parse(line, defaults: .init(signName: "", templateCode: "T")).fault() == .missingSignName)
        #expect(Self.parse(line).fault() == nil)
    }

    static let ours = [
        ("PhoneNumber", #""13900000000""#), ("SignName", #""甲""#), ("TemplateCode", #""T""#),
        ("TemplateParam", "{}"), ("SmsUpExtendCode", #""1""#), ("OutId", #""o""#), ("Id", "1"),
    ]

    @Test(arguments: ours)
    func `a member of ours that stands twice is refused, also when one name has escapes`(name: String, value: String) {
        let escaped = "\\u00" + String(name.utf8.first ?? 0, radix: 16) + name.dropFirst()
        let number = name == "PhoneNumber" ? "" : ",\"PhoneNumber\":\"13900000000\""
        for other in [name, escaped] {
            for (one, two) in [(name, other), (other, name)] {
                let chunk = Self.parse("{\"\(one)\":\(value),\"x\":1,\"\(two)\":\(value)\(number)}")
                #expect(chunk.fault()?.code == "smspipe.DUPLICATE_MEMBER")
                #expect(chunk.fault()?.message.contains("\(name) ") == true)
            }
        }
    }

    @Test func `other members may stand twice`() {
        let line = #"{"PhoneNumber":"1","x":1,"x":2,"phoneNumber":"2","Phonenumber":3,"ID":null,"Idx":{},"SignNamE":1}"#
        let chunk = Self.parse(line)
        #expect(chunk.fault() == nil && chunk.text(chunk.messages[0].echo) + "}" == line)
    }

    @Test(arguments: [
        ("o", 255, true), ("o", 256, false), ("号", 255, true), ("号", 256, false), ("😀", 255, true), ("😀", 256, false),
    ])
    func `an OutId has fewer than 256 characters`(character: String, count: Int, isAccepted: Bool) {
        let text = String(repeating: character, count: count)
        let escaped = String(repeating: character == "o" ? #"\u006f"# : character, count: count - 1) + #"\n"#
        for outID in [text, escaped] {
            let fault = Self.withMembers("\"OutId\":\"\(outID)\"").fault()
            #expect(fault == (isAccepted ? nil : .outIDTooLong))
        }
        #expect(MessageFault.outIDTooLong.code == "isv.PARAM_LENGTH_LIMIT")
    }

    @Test func `a line that is too long is refused with its limit`() {
        let chunk = Chunk.parsing("{\"PhoneNumber\":\"13900000000\"}", maximumLineBytes: 20)
        #expect(chunk.fault() == .lineTooLong(maximum: 20) && chunk.fault()?.code == "smspipe.LINE_TOO_LONG")
        #expect(chunk.fault()?.message.contains("20 bytes") == true)
    }

    @Test func `no fault tells a value of the line`() {
        let secret = "S3CRET"
        for (members, _) in Self.faults {
            let line = "{\(members),\"\(secret)\":\"\(secret)\"}".replacing("{,", with: "{").replacing(
                "abc",
                with: secret
            )
            let message = Self.parse(line).fault()?.message ?? ""
            #expect(!message.contains(secret) && !message.isEmpty)
        }
        #expect(Self.parse("\(secret)").fault()?.message.contains(secret) == false)
    }

    // MARK: - Members of an earlier response

    static let responseMembers = ["Outcome", "Code", "Message", "BizId", "RequestId", "BatchId", "SendDate"]

    @Test(arguments: Seed.each(200))
    func `members of an earlier response are dropped, all other bytes kept`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func space() -> String { random.pick(["", "", "", " ", "\t", "  "]) }
        var line = "{"
        var kept: [String] = []
        let count = Int.random(in: 1...8, using: &random)
        for index in 0..<count {
            let name: String
            let isDropped = random.oneIn(2)
            if isDropped {
                let plain = random.pick(Self.responseMembers)
                name = random.oneIn(4) ? "\\u00" + String(plain.utf8.first ?? 0, radix: 16) + plain.dropFirst() : plain
            } else {
                name = random.pick([
                    "x", "Codes", "code", "Line", "Input", "Outcom", "message", "SendDatE", "a,b", "Bizid",
                ])
            }
            let value = random.pick([#""a,b""#, "1", "null", #"{"Outcome":"x", "n":[1 , 2]}"#, "[ ]", #""\",""#])
            let member = space() + "\"\(name)\"" + space() + ":" + space() + value
            // Blanks before a comma belong to the member before it; those before the closing brace to nobody.
            let blanks = space()
            line += (index == 0 ? "" : ",") + member + blanks
            if !isDropped { kept.append(index == count - 1 ? member : member + blanks) }
        }
        let chunk = Self.parse(line + "}")
        let message = chunk.messages[0]
        #expect(chunk.text(message.echo) == "{" + kept.joined(separator: ","), "SMSPIPE_SEED=\(seed): \(line)")
        #expect(message.traits.contains(.hasMembers) == !kept.isEmpty, "SMSPIPE_SEED=\(seed)")
    }

    @Test(arguments: [
        (#"{"Outcome":"x","a": 1 , "b":2}"#, #"{"a": 1 , "b":2"#), (#"{"a": 1,"Code":2,"b":2}"#, #"{"a": 1,"b":2"#),
        (#"{"a": 1,"b":2,"SendDate":null}"#, #"{"a": 1,"b":2"#), (#"{"Code":1,"Code":2}"#, "{"),
        (#"{ "x" : 1 }"#, #"{ "x" : 1"#), (#"{"x":{"Code":1}}"#, #"{"x":{"Code":1}"#),
    ])
    func `what is repeated keeps its text`(line: String, echo: String) {
        let chunk = Self.parse(line)
        #expect(chunk.text(chunk.messages[0].echo) == echo)
    }

    @Test func `a response line is a valid input line`() {
        let bench = Bench()
        bench.read(#"{"PhoneNumber":"13900000000","order":7}"#)
        bench.flush()
        bench.answer(.batch)
        let first = bench.output()[0]
        bench.read(first)
        bench.flush()
        bench.answer(.batch)
        let second = bench.output()[0]
        #expect(Bench.fate(second) == "rejected code.batch")
        #expect(second.replacing("run-2", with: "run-1").replacing("\"R2\"", with: "\"R1\"") == first)
    }

    // MARK: - Batch keys

    @Test func `messages agree in their key's hash exactly when they agree in what a request has in common`() {
        let members = [
            "", #","TemplateCode":"T2""#, #","OutId":"o""#, #","TemplateParam":{"a":"1"}"#, #","SmsUpExtendCode":"1""#,
            #","TemplateCode":"T","OutId":"2""#,
        ]
        func hash(_ number: String, _ members: String) -> UInt64 {
            Self.parse("{\"PhoneNumber\":\"\(number)\"\(members)}", defaults: .init(signName: "甲", templateCode: "T"))
                .messages[0].batchKeyHash
        }
        var hashes = Set(members.map { hash("13900000000", $0) })
        hashes.formUnion(members.map { hash("85200000000", $0) })
        #expect(hashes.count == 12)
        #expect(hash("13900000000", #","TemplateCode":"T","SignName":"乙""#) == hash("13900000001", ""))
        #expect(hash("1390000000", #","TemplateCode":"\u0054""#) == hash("139", ""))
    }
}
