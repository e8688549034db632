// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct LineSplitterTests {
    /// A line as a naive reader sees it.
    struct Line: Equatable, CustomStringConvertible {
        var number: UInt64
        var bytes: [UInt8]
        var isTooLong = false

        init(_ number: UInt64, _ bytes: [UInt8], isTooLong: Bool = false) {
            self.number = number
            self.bytes = bytes
            self.isTooLong = isTooLong
        }

        init(_ number: UInt64, _ text: String) {
            self.init(number, Array(text.utf8))
        }

        var description: String {
            "\(number)\(isTooLong ? "…" : ":")\(String(decoding: bytes, as: UTF8.self).debugDescription)"
        }
    }

    /// The lines of an input in one piece, written without a thought for speed.
    static func reference(_ input: [UInt8], maximumLineBytes: Int) -> [Line] {
        var input = input[...]
        if input.starts(with: [0xEF, 0xBB, 0xBF]) { input = input.dropFirst(3) }
        var lines: [Line] = []
        for (index, line) in input.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.count > maximumLineBytes {
                let kept = line.prefix(min(maximumLineBytes, LineSplitter.keptOfLongLine))
                lines.append(Line(UInt64(index + 1), Array(kept), isTooLong: true))
            } else if line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) {
                lines.append(Line(UInt64(index + 1), Array(line)))
            }
        }
        return lines
    }

    /// The lines that the splitter finds when the input comes in the given pieces.
    ///
    /// - Parameters:
    ///   - chunks: The pieces.
    ///   - maximumLineBytes: The longest line.
    ///   - takesOver: Whether a piece is given with the buffer it was read into.
    /// - Returns: All lines.
    static func split(
        _ chunks: [[UInt8]],
        maximumLineBytes: Int,
        takingOver takesOver: () -> Bool = { false },
    ) -> [Line] {
        var splitter = LineSplitter(maximumLineBytes: maximumLineBytes)
        var lines: [Line] = []
        func take(_ block: LineBlock) {
            for line in block.lines {
                let range = Int(line.bytes.start)..<Int(line.bytes.start + line.bytes.count)
                lines.append(Line(line.number, Array(block.bytes[range]), isTooLong: line.isTooLong))
            }
        }
        var buffer: [UInt8] = []
        for chunk in chunks {
            guard takesOver() else {
                take(splitter.append(chunk))
                continue
            }
            buffer.removeAll()
            buffer.append(contentsOf: repeatElement(0x7B, count: LineSplitter.headroom))
            buffer.append(contentsOf: chunk)
            take(splitter.append(takingOver: &buffer))
        }
        take(splitter.finish())
        return lines
    }

    static let inputs = [
        "", "\n", "\r\n", "a", "a\n", "a\r\n", "a\r", "a\nb", "a\r\nb\r\n", "\n\na\n \t\n\r\nb\n", "a\rb\n", "a\r\r\n",
        "\u{FEFF}a\n", "\u{FEFF}", "\u{FEFF}\n\u{FEFF}a\n", "\u{FEFF}\r\nb", " \u{FEFF}a\n", "验证码\n号\n",
        "12345678\n123456789\n1\n", "12345678\r\n123456789\r\n", "\u{FEFF}12345678\r\n2", "\u{FEFF}123456789\n",
        "1234567890123456789012345678901234567890\nb\n", "1234567890123456789012345", "         \n          \nb\n",
        "\u{FEFF}                    \nb\n", "12345678\r", "123456789\r", "12345678\r\r\n", "12345678   \nb",
    ]

    @Test(arguments: inputs)
    func `every cut into two or three chunks gives the lines of the whole`(text: String) {
        let input = Array(text.utf8)
        let expected = Self.reference(input, maximumLineBytes: 8)
        for first in 0...input.count {
            for second in first...input.count {
                let chunks = [Array(input[..<first]), Array(input[first..<second]), Array(input[second...])]
                #expect(Self.split(chunks, maximumLineBytes: 8) == expected, "cut at \(first) and \(second)")
                #expect(
                    Self.split(chunks, maximumLineBytes: 8, takingOver: { true }) == expected,
                    "cut at \(first) and \(second), with their buffers",
                )
            }
        }
        #expect(Self.split(input.map { [$0] }, maximumLineBytes: 8) == expected, "byte by byte")
    }

    @Test(arguments: [2_000, 2_048, 2_049, 3_000])
    func `a line goes on in a buffer that has room for its start, or not`(start: Int) {
        let line = [UInt8](repeating: 0x61, count: 5_000)
        let input = Array("b\n".utf8) + line + Array("\nc\n".utf8)
        let chunks = [Array(input[..<(2 + start)]), Array(input[(2 + start)...])]
        let expected = [Line(1, "b"), Line(2, line), Line(3, "c")]
        #expect(Self.split(chunks, maximumLineBytes: 1 << 16, takingOver: { true }) == expected)
    }

    @Test func `a buffer that is taken over is given back as another one`() {
        var splitter = LineSplitter(maximumLineBytes: 100)
        var spare = LineBlock()
        spare.bytes.reserveCapacity(1 << 17)
        var buffer = [UInt8](repeating: 0, count: LineSplitter.headroom) + Array("aa\nb".utf8)
        let address = unsafe buffer.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        let block = splitter.append(takingOver: &buffer, reusing: spare)
        #expect(unsafe block.bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } == address)
        #expect(block.bytes.count == LineSplitter.headroom + 3)
        #expect(buffer.isEmpty && buffer.capacity >= 1 << 17)
    }

    @Test func `a buffer that is mostly the start of a long line is not taken over`() {
        var splitter = LineSplitter(maximumLineBytes: 100_000)
        var buffer = [UInt8](repeating: 0x61, count: LineSplitter.headroom) + Array("a\n".utf8)
        buffer += [UInt8](repeating: 0x62, count: 60_000)
        let block = splitter.append(takingOver: &buffer)
        #expect(block.bytes == Array("a\n".utf8) && block.bytes.capacity < 1_000)
        #expect(splitter.finish().lines.first?.bytes.count == 60_000)
    }

    @Test(arguments: Seed.each(300))
    func `random inputs in random cuts give the lines of the whole`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces: [[UInt8]] = [
            [0x0A], [0x0D, 0x0A], [0x0D], [0x20], [0xEF, 0xBB, 0xBF], Array("x".utf8), Array("号".utf8), [0xFF], [0],
            Array(repeating: 0x61, count: 40),
        ]
        var input: [UInt8] = []
        for _ in 0..<Int.random(in: 0...60, using: &generator) { input += generator.pick(pieces) }
        let maximum = generator.pick([1, 3, 16, 39, 40, 100])
        var chunks: [[UInt8]] = []
        var rest = input[...]
        while !rest.isEmpty {
            let count = Int.random(in: 0...min(20, rest.count), using: &generator)
            chunks.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        let lines = Self.split(chunks, maximumLineBytes: maximum) { generator.oneIn(2) }
        #expect(lines == Self.reference(input, maximumLineBytes: maximum), "SMSPIPE_SEED=\(seed)")
    }

    @Test func `line numbers count blank and over-long lines`() {
        let input = Array("one\n\n   \nfar too long a line\nfive\n".utf8)
        #expect(
            Self.split([input], maximumLineBytes: 5) == [
                Line(1, "one"), Line(4, Array("far t".utf8), isTooLong: true), Line(5, "five"),
            ]
        )
    }

    @Test func `an over-long line is not held`() {
        var splitter = LineSplitter(maximumLineBytes: 1 << 16)
        let chunk = [UInt8](repeating: 0x61, count: 1 << 15)
        for _ in 0..<200 {
            let block = splitter.append(chunk)
            #expect(block.bytes.isEmpty && block.lines.isEmpty)
        }
        let block = splitter.append(Array("\nnext\n".utf8))
        #expect(block.lines.map(\.isTooLong) == [true, false])
        #expect(block.lines.map(\.bytes.count) == [UInt32(LineSplitter.keptOfLongLine), 4])
        #expect(block.bytes.count <= LineSplitter.keptOfLongLine + 16)
    }

    @Test func `an over-long line at the end of the input is reported once`() {
        var splitter = LineSplitter(maximumLineBytes: 4)
        _ = splitter.append(Array("123456789012345".utf8))
        #expect(splitter.finish().lines.map(\.isTooLong) == [true])
        #expect(splitter.finish().lines.isEmpty)
    }

    @Test func `a block holds no more bytes than were read since the last one`() {
        var splitter = LineSplitter(maximumLineBytes: 1000)
        for _ in 0..<50 {
            let block = splitter.append(Array("a\nbcdef".utf8))
            #expect(block.bytes.count <= 7)
        }
    }
}
