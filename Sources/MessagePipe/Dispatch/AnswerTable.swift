// SPDX-License-Identifier: Apache-2.0

/// The answers that response lines still need; one serves all messages of a batch.
struct AnswerTable: ~Copyable {
    typealias Index = UInt32

    private var lineEnds: [[UInt8]] = []
    private var uses: [UInt32] = []
    private var free: [Index] = []

    /// How many answers are kept.
    var inUse: Int { lineEnds.count - free.count }

    /// Keeps an answer for a number of messages, at least one.
    mutating func add(_ response: Response, uses count: Int) -> Index {
        add(lineEnd: response.lineEnd(), uses: count)
    }

    /// Keeps an answer that is written already.
    mutating func add(lineEnd: [UInt8], uses count: Int) -> Index {
        precondition(count > 0, "an answer for nobody")
        if let index = free.popLast() {
            lineEnds[Int(index)] = lineEnd
            uses[Int(index)] = UInt32(count)
            return index
        }
        lineEnds.append(lineEnd)
        uses.append(UInt32(count))
        return Index(lineEnds.count - 1)
    }

    /// The end of the response lines with this answer.
    subscript(index: Index) -> [UInt8] { lineEnds[Int(index)] }

    /// Tells that one message has had its response line.
    mutating func release(_ index: Index) {
        uses[Int(index)] -= 1
        guard uses[Int(index)] == 0 else { return }
        lineEnds[Int(index)] = []
        free.append(index)
    }
}
