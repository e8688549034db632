// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

/// Lines are compared with the shape of earlier ones; what comes out must not depend on what was read before.
struct LineShapeTests {
    private static let maximumLineBytes = 1 << 16
    private static let defaults = MessageParser.Defaults(signName: "甲", templateCode: "T", urgentTemplates: ["SMS_2"])

    /// What a parser says of one line, with the texts in place of their ranges.
    private static func reading(_ line: [UInt8], by parser: inout MessageParser) -> [String] {
        var splitter = LineSplitter(maximumLineBytes: maximumLineBytes)
        // Behind the line stands another one, as in an input, so that there is room to compare.
        let block = splitter.append(line + Array("\n{\"PhoneNumber\":\"13900000000\"}\n".utf8))
        let chunk = parser.parse(block, lines: block.lines.indices)
        let message = chunk.messages[0]
        let ranges = [
            message.echo, message.id, message.phoneNumber, message.signName, message.templateCode,
            message.templateParameters, message.extensionCode, message.outID,
        ]
        return ranges.map { chunk.text($0) }
            + [
                "\(message.phoneKey)", "\(message.batchKeyHash)", "\(message.traits.rawValue)",
                "\(chunk.messages.count)",
            ]
            + [chunk.fault()?.message ?? ""]
    }

    private static func newParser() -> MessageParser {
        MessageParser(defaults: defaults, maximumLineBytes: maximumLineBytes)
    }

    /// The values of a line of one of some shapes; numbers, texts, nested objects, blanks, and now and then an escape.
    private static func line(_ shape: Int, _ random: inout SeededGenerator) -> [UInt8] {
        let texts = [
            "a", "", "王小明", "plain text of more than sixteen bytes", "é😀", "x\\n", "\\u00e9", "SMS_1", "SMS_2",
        ]
        func text() -> String { random.pick(texts) }
        func number() -> String { random.pick(["0", "-1", "1.50", "12e3", "1234567890123456789012"]) }
        let phone = "13\(Int.random(in: 100_000_000...999_999_999, using: &random))"
        let line =
            switch shape {
            case 0: "{\"PhoneNumber\":\"\(phone)\",\"TemplateParam\":{\"code\":\"\(text())\"},\"n\":\(number())}"
            case 1: " { \"PhoneNumber\" : \(phone) , \"SignName\" : \"\(text())\" , \"m\" : [ \(number()), true ] } "
            case 2:
                "{\"Id\":\(number()),\"PhoneNumber\":\"\(phone)\",\"TemplateCode\":\"\(text())\",\"o\":{\"p\":null}}"
            case 3: "{\"PhoneNumber\":\"\(phone)\",\"TemplateParam\":\"{\\\"a\\\":1}\",\"OutId\":\"\(text())\"}"
            case 4: "{\"PhoneNumber\":\"\(phone)\",\"Outcome\":\"\(text())\",\"TemplateParam\":{\"a\":\(number())}}"
            default: "{\"SmsUpExtendCode\":\"\(number())\",\"PhoneNumber\":\"\(phone)\",\"PhoneNumber\":\"\(text())\"}"
            }
        return Array(line.utf8)
    }

    @Test(arguments: Seed.each(200))
    func `a line is read alike whatever was read before`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let noise = Array("\"\\{}[]:,. 0eN".utf8) + [0x00, 0x1F, 0x80, 0xC3, 0xE4, 0xED, 0xFF]
        var parser = Self.newParser()
        var shape = 0
        for _ in 0..<200 {
            if random.oneIn(20) { shape = Int.random(in: 0...5, using: &random) }
            var line = Self.line(shape, &random)
            if random.oneIn(4) {
                let at = Int.random(in: line.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: line.insert(random.pick(noise), at: at)
                case 1: line.remove(at: at)
                default: line[at] = random.pick(noise)
                }
            }
            guard !line.allSatisfy({ $0 == 0x20 }) else { continue }
            var alone = Self.newParser()
            let expected = Self.reading(line, by: &alone)
            let text = String(decoding: line, as: UTF8.self)
            #expect(Self.reading(line, by: &parser) == expected, "SMSPIPE_SEED=\(seed): \(text.debugDescription)")
        }
    }

    @Test(arguments: [
        "\"b\":2}", "\"b\":02}", "\"b\":2,}", "\"B\":2}", "\"b\":\"2\"}", "\"b\":-}", "\"b\":2} x", "\"b\" :2}",
    ])
    func `a line that differs between its values is read anew`(end: String) {
        let start = "{\"PhoneNumber\":\"13900000001\",\"a\":\"Ü\","
        var parser = Self.newParser()
        for _ in 0..<3 { _ = Self.reading(Array((start + "\"b\":1}").utf8), by: &parser) }
        var alone = Self.newParser()
        let line = Array((start + end).utf8)
        #expect(Self.reading(line, by: &parser) == Self.reading(line, by: &alone))
    }

    @Test func `every cut of a line is read anew`() {
        let line = Array("{\"PhoneNumber\":\"13900000001\",\"TemplateParam\":{\"n\":\"王小明\"},\"b\":{\"c\":12.5}}".utf8)
        var parser = Self.newParser()
        for end in 1...line.count {
            _ = Self.reading(line, by: &parser)
            var alone = Self.newParser()
            let cut = Array(line[..<end])
            #expect(Self.reading(cut, by: &parser) == Self.reading(cut, by: &alone), "cut at \(end)")
        }
    }

    /// Objects of some members, and arrays of some elements as the only member.
    private static func object(of count: Int, inArray: Bool) -> [UInt8] {
        let parts = (0..<count).map { inArray ? "\($0)" : "\"\($0)\":\"\"" }.joined(separator: ",")
        return Array((inArray ? "{\"a\":[\(parts)]}" : "{\(parts)}").utf8)
    }

    @Test(arguments: [true, false])
    func `a shape is taken only of lines with few parts`(inArray: Bool) throws {
        func hasShape(_ line: [UInt8]) throws -> Bool {
            let members = try JSONScanner.members(of: line.span, in: 0..<line.count)
            return JSONShape(of: line.span, 0..<line.count, members: members) != nil
        }
        #expect(try hasShape(Self.object(of: 100, inArray: inArray)))
        #expect(try !hasShape(Self.object(of: 300, inArray: inArray)))
        #expect(try !hasShape(Self.object(of: 100_000, inArray: inArray)))
        let blanks = Array(repeating: UInt8(ascii: " "), count: 1 << 20)
        #expect(try !hasShape(blanks + Self.object(of: 1, inArray: inArray)))
    }
}
