// SPDX-License-Identifier: Apache-2.0

import MessagePipe

extension LineSplitter {
    /// Takes a chunk given as an array.
    mutating func append(_ chunk: [UInt8]) -> LineBlock { append(chunk.span) }
}

extension Chunk {
    /// Parses a text, the last line with or without its line break.
    static func parsing(
        _ text: String,
        defaults: MessageParser.Defaults = .init(),
        maximumLineBytes: Int = 1 << 20,
    ) -> Chunk {
        parsing(Array(text.utf8), defaults: defaults, maximumLineBytes: maximumLineBytes)
    }

    /// Parses bytes, the last line with or without its line break.
    static func parsing(
        _ bytes: [UInt8],
        defaults: MessageParser.Defaults = .init(),
        maximumLineBytes: Int = 1 << 20,
    ) -> Chunk {
        var splitter = LineSplitter(maximumLineBytes: maximumLineBytes)
        var parser = MessageParser(defaults: defaults, maximumLineBytes: maximumLineBytes)
        let block = splitter.append(bytes.last == UInt8(ascii: "\n") ? bytes : bytes + [UInt8(ascii: "\n")])
        return parser.parse(block, lines: block.lines.indices)
    }

    /// The text of a range; empty for an absent member.
    func text(_ range: ByteRange) -> String {
        var bytes: [UInt8] = []
        append(range, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The fault of the message at an index, if it has one.
    func fault(_ index: Int = 0) -> MessageFault? {
        messages[index].fault.map { faults[Int($0)] }
    }
}
