// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct ResponseLineTests {
    /// The response lines to a text that is all invalid, or sent and accepted.
    static func lines(_ text: String, echoes: Bool = true) -> [String] {
        let bench = Bench { $0.echoes = echoes }
        bench.read(text)
        bench.flush()
        bench.answerAll()
        return bench.output()
    }

    static let accepted =
        #""Outcome":"accepted","Code":"OK","Message":"text","BizId":"1^0","RequestId":"R1","BatchId":"run-1","#
        + #""SendDate":"20260101"}"#

    static func invalid(_ code: String, _ message: String) -> String {
        "\"Outcome\":\"invalid\",\"Code\":\"\(code)\",\"Message\":\"\(message)\",\"BizId\":null,\"RequestId\":null,"
            + "\"BatchId\":null,\"SendDate\":null}"
    }

    static let noNumber = invalid(
        "isv.MOBILE_NUMBER_ILLEGAL",
        "PhoneNumber is missing: give up to 24 digits, with an optional leading +.",
    )

    @Test func `an object is repeated with our members behind its own`() {
        let object = #"{ "order" : [1, "😀\u00e9"],"PhoneNumber":"13900000000","x":null"#
        #expect(Self.lines(object + "}") == [object + "," + Self.accepted])
        #expect(Self.lines(object + "  }") == [object + "," + Self.accepted])
    }

    @Test func `an object without members has ours only`() {
        #expect(Self.lines("{}") == ["{" + Self.noNumber])
        #expect(Self.lines(" { } ") == ["{" + Self.noNumber])
    }

    @Test func `an object of nothing but response members has ours only`() {
        #expect(Self.lines(#"{"Outcome":"accepted", "Code" : 1 }"#) == ["{" + Self.noNumber])
    }

    @Test func `a line that is no object is told by its number and text`() {
        #expect(
            Self.lines("\n\nno \"JSON\"\t\\\u{1}") == [
                #"{"Line":3,"Input":"no \"JSON\"\t\\\u0001","#
                    + Self.invalid("smspipe.INVALID_JSON", "The line is not a JSON object: at byte 0: expected '{'.")
            ]
        )
    }

    @Test(arguments: [1023, 1024, 1025, 1026, 1027, 1028, 1500])
    func `the text of a line is cut at 1 KiB, between scalars`(count: Int) throws {
        for scalar in ["x", "é", "中", "😀"] {
            for lead in 0..<4 {
                let text =
                    String(repeating: "y", count: lead) + String(repeating: scalar, count: count / scalar.utf8.count)
                let line = Self.lines(text)[0]
                let input = Bench.member("Input", of: line)
                #expect(text.hasPrefix(input) && !line.contains("\u{FFFD}"))
                let expected = min(text.utf8.count, 1024)
                #expect(input.utf8.count <= expected && input.utf8.count > expected - scalar.utf8.count)
            }
        }
    }

    @Test(arguments: [300, 2000])
    func `a line that is too long shows its beginning`(maximum: Int) {
        let text = "{\"text\":\"" + String(repeating: "中", count: 1000) + "\"}"
        let chunk = Chunk.parsing(text, maximumLineBytes: maximum)
        let bench = Bench()
        bench.engine.chunkArrived(chunk, at: bench.now)
        let line = bench.output()[0]
        #expect(Bench.fate(line) == "invalid smspipe.LINE_TOO_LONG")
        #expect(line.hasPrefix(#"{"Line":1,"Input":"{\"text\":\"中中"#) && !line.contains("\u{FFFD}"))
        #expect(line.utf8.count < min(maximum, 1024) + 300)
    }

    @Test func `malformed UTF-8 is replaced, so that the output is JSON`() throws {
        for bytes: [UInt8] in [[0xFF], [0x61, 0xC2], [0xED, 0xA0, 0x80, 0x62], [0x7B, 0xF0, 0x9F]] {
            let bench = Bench()
            bench.engine.chunkArrived(Chunk.parsing(bytes), at: bench.now)
            let line = Array(bench.output()[0].utf8)
            #expect(try JSONScanner.check(line.span, in: 0..<line.count) == .object)
            #expect(String(decoding: line, as: UTF8.self).contains("\u{FFFD}"))
        }
    }

    @Test func `without echo a line has its number, its Id and our members`() {
        let text = #"""
            {"PhoneNumber":"13900000000","Id":"a\n","TemplateParam":{"code":"secret"}}
            {"PhoneNumber":"13900000001","Id":1.50,"x":1}
            {"PhoneNumber":"13900000002"}
            """#
        // The first has parameters, and so a request of its own; both had left when the answers came.
        let first = Self.accepted.replacing("R1", with: "R2")
        let second = first.replacing("run-1", with: "run-2")
        #expect(
            Self.lines(text, echoes: false) == [
                #"{"Line":1,"Id":"a\n","# + first, #"{"Line":2,"Id":1.50,"# + second, #"{"Line":3,"# + second,
            ]
        )
    }

    @Test func `without echo nothing of a bad line goes out`() {
        #expect(
            Self.lines("secret\n{\"PhoneNumber\":\"secret\",\"Id\":\"i\"}", echoes: false) == [
                #"{"Line":1,"#
                    + Self.invalid("smspipe.INVALID_JSON", "The line is not a JSON object: at byte 0: expected '{'."),
                #"{"Line":2,"Id":"i","#
                    + Self.invalid(
                        "isv.MOBILE_NUMBER_ILLEGAL",
                        "PhoneNumber is not a phone number: give up to 24 digits, with an optional leading +.",
                    ),
            ]
        )
    }

    @Test func `the gateway's text is escaped`() throws {
        let bench = Bench()
        bench.read(count: 1)
        bench.flush()
        let id = try #require(bench.takeFlight()?.id)
        bench.engine.answered(id, Answer(codeClass: .batch, code: "a\"b", message: "触发\n\"x\"\\"), at: bench.now)
        #expect(
            bench.output()[0].hasSuffix(
                #""Outcome":"rejected","Code":"a\"b","Message":"触发\n\"x\"\\","BizId":null,"RequestId":null,"#
                    + #""BatchId":"run-1","SendDate":null}"#
            )
        )
    }

    @Test(arguments: Seed.each(100))
    func `every response line is one JSON object, whatever the input`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0dE1 PhoneNumberId\n\n".utf8) + [0x80, 0xC2, 0xE4, 0xB8, 0xAD, 0xF1, 0x1F, 0]
        let input = (0..<200).map { _ in random.pick(alphabet) }
        let bench = Bench { $0.echoes = random.oneIn(2) }
        bench.engine.chunkArrived(Chunk.parsing(input, maximumLineBytes: 50), at: bench.now)
        for line in bench.output() {
            let bytes = Array(line.utf8)
            #expect(try JSONScanner.check(bytes.span, in: 0..<bytes.count) == .object, "SMSPIPE_SEED=\(seed)")
        }
    }
}
