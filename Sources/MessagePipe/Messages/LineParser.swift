// SPDX-License-Identifier: Apache-2.0

/// Makes chunks of the lines that are read, on the reader's thread.
package protocol LineParser: Sendable {
    /// Parses lines of a block.
    ///
    /// - Parameters:
    ///   - block: The splitter's lines.
    ///   - lines: Which of its lines to parse.
    ///   - storage: An empty chunk whose storage is used.
    /// - Returns: One message for each of these lines, and the bytes of these lines only.
    mutating func parse(_ block: LineBlock, lines: Range<Int>, reusing storage: consuming Chunk) -> Chunk
}

extension MessageParser: LineParser {}

/// Leaves lines as they are: each becomes a message that says no more than where it stands, and whether it is whole.
///
/// A chunk has the bytes of its lines and nothing else, so that whoever takes line after line out of it knows what is left.
package struct PlainLineParser: LineParser {
    private let maximumLineBytes: Int

    /// Creates a parser.
    ///
    /// - Parameter maximumLineBytes: The limit that the splitter applies, for its message.
    package init(maximumLineBytes: Int) {
        self.maximumLineBytes = maximumLineBytes
    }

    package mutating func parse(
        _ block: LineBlock,
        lines: Range<Int>,
        reusing storage: consuming Chunk,
    ) -> Chunk {
        var chunk = storage
        for line in block.lines[lines] {
            var message = Message(line: line.number)
            let start = chunk.bytes.count
            chunk.bytes.append(copying: block.bytes.span, line.bytes.indices)
            message.echo = ByteRange(start..<chunk.bytes.count)
            if line.isTooLong {
                message.fault = UInt32(chunk.faults.count)
                chunk.faults.append(.lineTooLong(maximum: maximumLineBytes))
            }
            chunk.messages.append(message)
        }
        return chunk
    }
}
