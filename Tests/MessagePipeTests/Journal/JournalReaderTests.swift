// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct JournalReaderTests {
    private static let salt = [UInt8](0..<16)

    /// Records of all types, in four groups that were synced one after the other.
    private static let entries: [JournalEntry] = {
        let keys = (1...5).map { Digest96(low: UInt64($0) &* 0x9E37_79B9_7F4A_7C15, high: UInt32.max / UInt32($0)) }
        let groups: [[JournalRecord]] = [
            [.head(JournalHead(salt: salt, accessKeyID: "testid", endpoint: "https://gateway \"quoted\""))],
            [
                .intent(
                    batchID: "00ff-1",
                    sendDate: 2026_11_24,
                    messages: [
                        .init(key: keys[0], line: 1),
                        .init(key: keys[1], content: 7, line: 18_000_000_000),
                        .init(key: keys[4], line: 17_999_999_999),
                    ],
                ),
                .intent(batchID: "00ff-2", sendDate: 2026_11_24, messages: [.init(key: keys[2], line: 3)]),
            ],
            [
                .result(
                    Response(
                        .accepted,
                        code: "OK",
                        message: "请求成功\n\"OK\"",
                        bizID: "9006^0",
                        requestID: nil,
                        batchID: "00ff-1",
                        sendDate: 2026_11_24,
                    ),
                    count: 3,
                ),
                .withdrawal(batchID: "00ff-2"),
            ],
            [
                .intent(batchID: "00ff-2", sendDate: 2026_11_25, messages: [.init(key: keys[2], line: 3)]),
                .intent(batchID: "00ff-3", sendDate: 2026_11_25, messages: [.init(key: keys[3], line: 4)]),
                .result(Response(.rejected, code: "isv.X", message: "no", batchID: "00ff-2"), count: 1),
            ],
        ]
        var entries: [JournalEntry] = []
        var text: [UInt8] = []
        for group in groups {
            let synced = text.count
            for record in group {
                entries.append(JournalEntry(record, time: 1_763_952_600_009, synced: synced))
                entries.last?.append(to: &text)
            }
        }
        return entries
    }()

    private static let text: [UInt8] = entries.reduce(into: []) { $1.append(to: &$0) }
    private static let lastGroupCount = 3

    private struct Reading {
        var entries: [JournalEntry] = []
        var end: JournalReader.End?
        var damage: JournalDamage?
    }

    private static func read(_ text: [UInt8], chunk: Int = .max) -> Reading {
        var reading = Reading()
        var reader = JournalReader()
        var start = 0
        while start < text.count {
            let end = min(text.count, start + min(chunk, text.count))
            reader.read(text[start..<end].span) { reading.entries.append($0) }
            start = end
        }
        do throws(JournalDamage) {
            reading.end = try reader.finish()
        } catch {
            reading.damage = error
        }
        return reading
    }

    /// Where the records begin, and behind them the end.
    private static let starts: [Int] = {
        var starts = [0]
        for (index, byte) in text.enumerated() where byte == UInt8(ascii: "\n") { starts.append(index + 1) }
        return starts
    }()

    @Test func `reads what was written, however it is cut into chunks`() {
        for chunk in [1, 7, 100, 100_000] {
            let reading = Self.read(Self.text, chunk: chunk)
            #expect(reading.entries == Self.entries)
            #expect(reading.end == JournalReader.End(wholeByteCount: Self.text.count, tornByteCount: 0))
        }
    }

    @Test func `is JSON Lines with the members that the manual names`() {
        let lines = String(decoding: Self.text, as: UTF8.self).split(separator: "\n")
        #expect(
            lines[0].hasPrefix(
                #"{"Type":"head","Time":1763952600.009,"Synced":0,"Version":2,"Salt":"000102030405060708090a0b0c0d0e0f","#
            )
        )
        #expect(
            lines[1].contains(
                #""BatchId":"00ff-1","SendDate":"20261124","Lines":[1,17999999999,-1],"#
                    + #""Messages":"FXxKf7l5N57_____KviU_nLzbjz___9_aWx0fJ9gFRczMzMz","#
                    + #""Contents":"AAAAAAAAAAAAAAAAAAAHAAAAAAAAAA","Crc":"#
            )
        )
        #expect(lines[3].contains(#""Count":3,"Outcome":"accepted","Code":"OK","Message":"请求成功\n\"OK\"","#))
    }

    @Test func `cuts a journal that ends anywhere at the last whole record`() {
        for end in Self.starts[1]..<Self.text.count {
            let reading = Self.read(Array(Self.text[..<end]))
            let whole = Self.starts.last { $0 <= end } ?? 0
            #expect(reading.end == JournalReader.End(wholeByteCount: whole, tornByteCount: end - whole))
            #expect(reading.entries.count == Self.starts.firstIndex(of: whole))
        }
    }

    @Test func `starts anew where not even the head is whole`() {
        for end in 0..<Self.starts[1] {
            let torn = Array(Self.text[..<end])
            for text in [torn, [UInt8](repeating: 0, count: end)] {
                #expect(Self.read(text).end == JournalReader.End(wholeByteCount: 0, tornByteCount: end))
            }
        }
    }

    @Test func `finds a change of any byte, and names the record`() {
        // Without its line break the last record is taken for torn: it may be.
        for index in Self.text.indices.dropLast() {
            for change: UInt8 in [0x01, 0x20, 0x80] {
                var text = Self.text
                text[index] ^= change
                let reading = Self.read(text)
                let record = (Self.starts.lastIndex { $0 <= index } ?? 0) + 1
                #expect(reading.damage?.record == record, "byte \(index)")
                #expect(reading.damage?.offset == Self.starts[record - 1])
                let isSame = reading.entries == Array(Self.entries[..<(record - 1)])
                #expect(isSame, "byte \(index)")
            }
        }
    }

    @Test func `takes pages that never reached the disk for torn in the last group, for damage before it`() {
        let lastGroup = Self.starts[Self.entries.count - Self.lastGroupCount]
        for page in [8, 64, 200] {
            for start in stride(from: Self.starts[1] / page * page, to: Self.text.count, by: page) {
                var text = Self.text
                for index in start..<min(start + page, text.count) { text[index] = 0 }
                let reading = Self.read(text)
                let record = (Self.starts.lastIndex { $0 <= start } ?? 0)
                if Self.starts[record] >= lastGroup {
                    #expect(reading.end?.wholeByteCount == Self.starts[record])
                } else {
                    #expect(reading.damage?.record == record + 1)
                }
            }
        }
    }

    @Test(arguments: ["{\"PhoneNumber\":\"13900000001\"}\n", "order;number\n1;2\n", "x"])
    func `takes no other file for a journal`(text: String) {
        #expect(Self.read(Array(text.utf8)).damage?.isForeign == true)
    }
}
