// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MessagePipe
import Testing

struct JSONScannerTests {
    static func check(_ bytes: [UInt8]) throws(JSONError) -> JSONKind {
        try JSONScanner.check(bytes.span, in: 0..<bytes.count)
    }

    static func failureOffset(_ bytes: [UInt8]) -> Int? {
        do {
            _ = try check(bytes)
            return nil
        } catch {
            return error.offset
        }
    }

    // MARK: - RFC 8259

    static let accepted: [(String, JSONKind)] = [
        ("{}", .object), ("[]", .array), ("\"\"", .string), ("0", .number), ("true", .true), ("false", .false),
        ("null", .null), (" \t\r\n{ \t\r\n} \t\r\n", .object), ("[ ]", .array), ("[1,2]", .array),
        ("[ 1 , 2 ]", .array), ("{\"a\":1}", .object), ("{ \"a\" : 1 , \"b\" : [ { } ] }", .object),
        ("{\"a\":1,\"a\":2}", .object), ("{\"\":0}", .object),
        ("-0", .number), ("-1", .number), ("10", .number), ("0.0", .number), ("-0.10", .number), ("1e5", .number),
        ("1E+5", .number), ("1e-05", .number), ("0e0", .number), ("1.5e300", .number), ("1e999999", .number),
        ("123456789012345678901234567890", .number),
        (#""\"\\\/\b\f\n\r\t""#, .string), (#""\u0041\u00e9\u4E2D\uFFFF\u0000""#, .string),
        (#""\ud83d\ude00""#, .string), (#""\uD800\uDC00\udbff\udfff""#, .string), (#""\ue000""#, .string),
        ("\"\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}\"", .string), ("\"\u{FEFF}\"", .string),
        ("\"\u{2028}\u{2029}\"", .string), ("\"中文，短信\"", .string), ("\"12345678\"", .string), ("\"1234567\"", .string),
    ]

    @Test(arguments: accepted)
    func `accepts what RFC 8259 allows`(text: String, kind: JSONKind) throws {
        #expect(try Self.check(Array(text.utf8)) == kind)
    }

    /// Texts and the offset of the byte that breaks a rule.
    static let refused: [(String, Int)] = [
        ("", 0), (" ", 1), ("\u{FEFF}{}", 0), ("{", 1), ("}", 0), ("[", 1), ("]", 0), ("{]", 1), ("[}", 1), (",", 0),
        ("{,}", 1), ("[,]", 1), ("[1,]", 3), ("[1,,2]", 3), ("[1 2]", 3), ("[1", 2), ("[1,", 3), ("{\"a\"}", 4),
        ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{\"a\":1 \"b\":2}", 7), ("{\"a\":1,,}", 7), ("{a:1}", 1), ("{1:1}", 1),
        ("{'a':1}", 1), ("{\"a\" 1}", 5), ("{\"a\"::1}", 5), ("{\"a\":1", 6), ("{\"a\":1]", 6), ("{null:1}", 1),
        ("{} {}", 3), ("{}x", 2), ("{},", 2), ("1 2", 2), ("{}\u{0}", 2), ("\u{0}", 0), ("{\u{0}}", 1), ("[\u{0}]", 1),
        ("\u{B}1", 0), ("\u{A0}1", 0), ("// x\n1", 0), ("/**/1", 0),
        ("01", 1), ("00", 1), ("-", 1), ("-01", 2), ("+1", 0), (".5", 0), ("1.", 2), ("1.e1", 2), ("1e", 2), ("1e+", 3),
        ("1e1.5", 3), ("0x1", 1), ("1_000", 1), ("--1", 1), ("1a", 1), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1),
        ("True", 0), ("tru", 0), ("truE", 0), ("nul", 0), ("nullx", 4), ("falsE", 0), ("t", 0),
        ("\"", 1), ("\"a", 2), ("\"a\nb\"", 2), ("\"\t\"", 1), ("\"\u{0}\"", 1), ("\"\u{1F}\"", 1), ("\"\\\"", 3),
        (#""\a""#, 1), (#""\x41""#, 1), (#""\'""#, 1), (#""\U0041""#, 1), (#""\u""#, 1), (#""\u004""#, 1),
        (#""\u004g""#, 1), (#""\u 041""#, 1), (#""\ud800""#, 1), (#""\ud800x""#, 1), (#""\ud800\n""#, 1),
        (#""\ud800\ud800""#, 1), (#""\ud800\u0041""#, 1), (#""\udc00""#, 1), (#""\udfff\ud800""#, 1),
        (#""\ud83d\ude0""#, 1), (#""1234567\q""#, 8), ("\"12345678\u{1}\"", 9), ("\"1234567\n\"", 8),
    ]

    @Test(arguments: refused)
    func `refuses what RFC 8259 forbids, and says where`(text: String, offset: Int) {
        #expect(Self.failureOffset(Array(text.utf8)) == offset)
    }

    static let malformed: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xC2, 0xC2], [0xE0, 0x9F, 0xBF],
        [0xE0, 0x80, 0x80], [0xE1, 0x80], [0xE1, 0x80, 0x41], [0xE1, 0x41, 0x80], [0xED, 0xA0, 0x80],
        [0xED, 0xBF, 0xBF],
        [0xEF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x90, 0x80], [0xF1, 0x80, 0x80, 0x41],
        [0xF1, 0x80, 0x41, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
        [0xFE], [0xFF],
    ]

    @Test(arguments: malformed, [0, 1, 7, 8, 9, 15])
    func `refuses malformed UTF-8 wherever it stands`(bytes: [UInt8], before: Int) {
        let text = [0x22] + Array(repeating: 0x61, count: before) + bytes + Array("abcdefghijkl\"".utf8)
        #expect(Self.failureOffset(text) == 1 + before)
    }

    @Test func `every scalar is accepted in UTF-8`() throws {
        for plane in 0..<17 {
            var text = "\""
            for value in stride(from: plane << 16, to: (plane + 1) << 16, by: plane == 0 ? 1 : 97) {
                guard let scalar = Unicode.Scalar(UInt32(value)), value >= 0x20, value != 0x22, value != 0x5C else {
                    continue
                }
                text.unicodeScalars.append(scalar)
            }
            #expect(try Self.check(Array((text + "\"").utf8)) == .string, "plane \(plane)")
        }
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")])
    func `nests 128 deep and no deeper`(open: String, close: String) {
        let levels = open.contains("[{") ? 2 : 1
        func nested(_ depth: Int) -> [UInt8] {
            let count = depth / levels
            return Array((String(repeating: open, count: count) + "1" + String(repeating: close, count: count)).utf8)
        }
        #expect(Self.failureOffset(nested(128)) == nil)
        #expect(Self.failureOffset(nested(128 + levels)) == open.utf8.count * (128 / levels))
        #expect(Self.failureOffset(nested(100_000)) != nil)
        let object = Array("{\"a\":".utf8) + nested(128 - levels) + Array("}".utf8)
        #expect(throws: Never.self) { try JSONScanner.members(of: object.span, in: 0..<object.count) }
    }

    @Test func `a range is scanned as if nothing stood around it`() throws {
        let bytes = Array("xx{\"a\":\"b\"}\"yy".utf8)
        #expect(try JSONScanner.members(of: bytes.span, in: 2..<11).count == 1)
        for end in 2..<11 {
            #expect(throws: JSONError.self) { try JSONScanner.members(of: bytes.span, in: 2..<end) }
        }
        let error = #expect(throws: JSONError.self) { try JSONScanner.members(of: bytes.span, in: 2..<12) }
        #expect(error?.description == "byte 9: expected the end of the line after the value")
    }

    @Test(arguments: ["[]", "1", "\"{}\"", "null", ""])
    func `only an object has members`(text: String) {
        let bytes = Array(text.utf8)
        let error = #expect(throws: JSONError.self) { try JSONScanner.members(of: bytes.span, in: 0..<bytes.count) }
        #expect(error?.description == "byte 0: expected '{'")
    }

    @Test func `members are ranges of their names and whole values`() throws {
        let text = #" { "a" : "x" ,"b\n":[1,"\t"], "":-1.50,"d":{"e":"\n"},"e":"\u0041","f":true,"g":false,"h":null } "#
        let bytes = Array(text.utf8)
        let members = try JSONScanner.members(of: bytes.span, in: 0..<bytes.count)
        func slice(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        #expect(members.map { slice($0.name) } == ["a", #"b\n"#, "", "d", "e", "f", "g", "h"])
        #expect(
            members.map { slice($0.value) } == [
                "\"x\"", #"[1,"\t"]"#, "-1.50", #"{"e":"\n"}"#, #""\u0041""#, "true", "false", "null",
            ]
        )
        #expect(members.map(\.kind) == [.string, .array, .number, .object, .string, .true, .false, .null])
        #expect(members.map(\.nameHasEscapes) == [false, true, false, false, false, false, false, false])
        #expect(members.map(\.hasEscapes) == [false, false, false, false, true, false, false, false])
    }

    @Test func `elements are members without names`() throws {
        let bytes = Array(#"[1, "a\n" ,[],{}]"#.utf8)
        let elements = try JSONScanner.elements(of: bytes.span, in: 0..<bytes.count)
        #expect(elements.map { String(decoding: bytes[$0.value], as: UTF8.self) } == ["1", #""a\n""#, "[]", "{}"])
        #expect(elements.allSatisfy { $0.name.isEmpty })
        #expect(elements.map(\.hasEscapes) == [false, true, false, false])
        #expect(elements.map(\.kind) == [.number, .string, .array, .object])
    }

    // MARK: - Against Foundation

    /// Whether Foundation reads a text.
    ///
    /// Left out are texts where it is known to differ: it takes a comma before a closing bracket, and refuses numbers beyond a
    /// Double and a zero with an exponent; depths here stay far below both limits.
    static func foundationAccepts(_ bytes: [UInt8]) -> Bool? {
        let text = String(decoding: bytes, as: UTF8.self)
        let differs = /,[ \t\r\n]*[\]}]|\b0[eE]|[eE][+-]?[0-9]{3}/.matchingSemantics(.unicodeScalar)
        guard text.firstMatch(of: differs) == nil else { return nil }
        return (try? JSONDecoder().decode(Anything.self, from: Data(bytes))) != nil
    }

    /// Any JSON value; all of it is read, as a decoder looks only at what is asked for.
    private struct Anything: Decodable {
        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }

            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            if let members = try? decoder.container(keyedBy: Name.self) {
                for name in members.allKeys { _ = try members.decode(Anything.self, forKey: name) }
            } else if var elements = try? decoder.unkeyedContainer() {
                while !elements.isAtEnd { _ = try elements.decode(Anything.self) }
            } else {
                let value = try decoder.singleValueContainer()
                guard !value.decodeNil(), (try? value.decode(Bool.self)) == nil,
                    (try? value.decode(Double.self)) == nil
                else { return }
                _ = try value.decode(String.self)
            }
        }
    }

    static func randomText(_ random: inout SeededGenerator, depth: Int = 0) -> String {
        func space() -> String { random.pick(["", "", "", " ", "\t", "\n", "\r"]) }
        func string() -> String {
            var text = "\""
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                text += random.pick([
                    "a", "Zz09 _-", "中", "é", "😀", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\u00e9"#, #"\ud83d\ude00"#,
                    "\u{7F}", "'",
                    "{", "]", ",", ":",
                ])
            }
            return text + "\""
        }
        switch Int.random(in: 0..<(depth < 4 ? 9 : 6), using: &random) {
        case 0: return random.pick(["true", "false", "null"])
        case 1, 2: return string()
        case 3: return random.pick(["0", "-0", "1", "12.50", "-3e4", "5E-2", "0.1e+1", "987654"])
        case 4: return "{}"
        case 5: return "[\(space())]"
        case 6:
            let values = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                space() + randomText(&random, depth: depth + 1) + space()
            }
            return "[" + values.joined(separator: ",") + "]"
        default:
            let members = (0..<Int.random(in: 1...3, using: &random)).map { index in
                // Names stay apart: Foundation keeps one of two equal ones.
                space() + "\"\(index)" + string().dropFirst() + space() + ":" + space()
                    + randomText(&random, depth: depth + 1)
            }
            return "{" + members.joined(separator: ",") + space() + "}"
        }
    }

    @Test(arguments: Seed.each(100))
    func `accepts and refuses what Foundation does, on random texts and mutations of them`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let noise =
            Array(" \t\n\"\\{}[],:-+.0123456789eEtrufalsn/bx'\u{1}\u{1F}".utf8) + [
                0x7F, 0x80, 0xC3, 0xE4, 0xED, 0xF0, 0xFF,
            ]
        for _ in 0..<50 {
            let text = Array(Self.randomText(&random).utf8)
            #expect(throws: Never.self, "SMSPIPE_SEED=\(seed)") { try Self.check(text) }
            for _ in 0..<6 {
                var mutant = text
                for _ in 0..<Int.random(in: 1...2, using: &random) {
                    let at = Int.random(in: 0...mutant.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: mutant.insert(random.pick(noise), at: at)
                    case 1 where at < mutant.count: mutant.remove(at: at)
                    case 2 where at < mutant.count: mutant[at] = random.pick(noise)
                    default: mutant = Array(mutant.prefix(at))
                    }
                }
                guard let expected = Self.foundationAccepts(mutant) else { continue }
                let accepts = Self.failureOffset(mutant) == nil
                #expect(
                    accepts == expected,
                    "SMSPIPE_SEED=\(seed): \(String(decoding: mutant, as: UTF8.self).debugDescription)"
                )
            }
        }
    }

    @Test(arguments: Seed.each(20))
    func `decodes strings as Foundation does`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let text = Array(Self.randomText(&random).utf8)
            guard text.first == UInt8(ascii: "\"") else { continue }
            let decoded = String(decoding: JSONText.decodeString(text.span, 0..<text.count), as: UTF8.self)
            let expected = try JSONDecoder().decode(String.self, from: Data(text))
            #expect(decoded == expected, "SMSPIPE_SEED=\(seed)")
        }
    }

    @Test(arguments: Seed.each(300))
    func `random bytes never crash it, and errors lie within the text`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0dDeE1-.tn ".utf8) + [0x80, 0xC2, 0xE1, 0xF1, 0x1F]
        let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in random.pick(alphabet) }
        for start in [0, bytes.count / 2] {
            do throws(JSONError) {
                _ = try JSONScanner.check(bytes.span, in: start..<bytes.count)
            } catch {
                #expect((0...(bytes.count - start)).contains(error.offset), "SMSPIPE_SEED=\(seed)")
            }
        }
    }
}
