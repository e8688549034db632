// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

/// What is written of a line, byte for byte.
struct SentLineTests {
    static let nothing = #""SendStatus":null,"ErrCode":null,"ReceiveDate":null}"#

    func written(_ line: String) -> String {
        let bench = StatusBench()
        bench.read(line)
        if !bench.inFlight.isEmpty { bench.answer(StatusBench.record()) }
        return bench.output().first ?? ""
    }

    @Test(arguments: [
        #"{"a":1.50,"Outcome":"rejected""#, #"{ "Outcome" : "skipped" , "b" : [ 1 , {} ] "#.trimmed,
        #"{"Outcome":"invalid","x":"\u4e91\/""#, #"{"\u004futcome":"invalid","Line":3"#,
    ])
    func `repeats all else untouched`(_ beginning: String) {
        #expect(written(beginning + " }") == beginning + "," + Self.nothing)
    }

    @Test func `replaces what an earlier run has added`() {
        let line = StatusBench.line()
        let first = written(line)
        #expect(
            first == line.dropLast()
                + #","SendStatus":"delivered","ErrCode":"DELIVERED","ReceiveDate":"2026-03-04 10:00:09"}"#
        )
        #expect(written(first) == first)
        #expect(
            written(#"{"SendStatus":"waiting","ErrCode":1, "Outcome":"rejected","ReceiveDate":{}}"#)
                == #"{ "Outcome":"rejected","ReceiveDate":{},"SendStatus":null,"ErrCode":null}"#
        )
        // What stands before the outcome came with the message: it is of an earlier sending.
        #expect(
            written(StatusBench.line(members: #","SendStatus":"failed""#)).hasSuffix(
                #""SendDate":"20260304","SendStatus":"delivered","ErrCode":"DELIVERED","ReceiveDate":"2026-03-04 10:00:09"}"#
            )
        )
        #expect(
            written(#"{"Send\u0053tatus":"waiting","Outcome":"rejected"}"#)
                == #"{"Outcome":"rejected","# + Self.nothing
        )
    }

    @Test func `passes on an object that is no response line`() {
        #expect(written("{}") == "{" + Self.nothing)
        #expect(written(#"{"SendStatus":1}"#) == #"{"SendStatus":1,"ErrCode":null,"ReceiveDate":null}"#)
        #expect(written(#"{"a":1}"#) == #"{"a":1,"# + Self.nothing)
        #expect(written(#"{"Outcome":"sent"}"#) == #"{"Outcome":"sent","# + Self.nothing)
        #expect(written(#"{"Outcome":7}"#) == #"{"Outcome":7,"# + Self.nothing)
    }

    @Test func `says what is wrong with a line that is no object`() {
        #expect(
            written(#"["a"]"#) == """
                {"Line":1,"Input":"[\\"a\\"]","Code":"smspipe.INVALID_JSON",\
                "Message":"The line is not a JSON object: at byte 0: expected '{'.",
                """ + Self.nothing
        )
        let long = written("{" + String(repeating: "x", count: 5000))
        #expect(long.contains(#""Code":"smspipe.LINE_TOO_LONG""#))
        #expect(long.utf8.count < 1400)
    }

    @Test(arguments: ["20260230", "20261301", "2026030", "2026-03-04", "20260300", "00000101", "２０２６０３０４"])
    func `a day that is none cannot be asked for`(_ day: String) {
        let bench = StatusBench()
        bench.read(StatusBench.line(sendDate: day))
        #expect(bench.tally.unsearchable.count == 1)
    }

    @Test(
        arguments: [
            (20_231_231, 20_240_101), (20_240_228, 20_240_229), (20_240_229, 20_240_301), (20_230_228, 20_230_301),
            (21_000_228, 21_000_301), (20_000_228, 20_000_229), (20_260_430, 20_260_501), (20_260_514, 20_260_515),
        ] as [(UInt32, UInt32)]
    )
    func `neighbouring days`(_ day: UInt32, _ next: UInt32) {
        let forward = StatusBench()
        forward.today = 21_001_231
        forward.read(StatusBench.line(sendDate: String(day)))
        forward.answer()
        #expect(forward.asked == ["\(next) 1"])
        let back = StatusBench()
        back.today = next
        back.read(StatusBench.line(sendDate: String(next)))
        back.answer()
        #expect(back.asked == ["\(day) 1"])
    }
}

extension String {
    /// Without blanks at its end.
    fileprivate var trimmed: String { String(reversed().drop { $0 == " " }.reversed()) }
}
