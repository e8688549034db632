// SPDX-License-Identifier: Apache-2.0

import BasicContainers

/// The answers that response lines still need; one serves all messages of a batch.
struct AnswerTable: ~Copyable {
    typealias Index = UInt32

    /// No answer's index.
    static let none = Index.max

    /// The end of the response lines that share an answer.
    ///
    /// Not copyable, so that a line costs no reference count.
    struct Answer: ~Copyable {
        var lineEnd: [UInt8]
        /// How many messages have not had their line.
        var uses: UInt32
    }

    private var answers = UniqueArray<Answer>()
    private var free: [Index] = []

    /// How many answers are kept.
    var inUse: Int { answers.count - free.count }

    /// Keeps an answer for a number of messages, at least one.
    mutating func add(_ response: Response, uses count: Int) -> Index {
        let index = take(count)
        response.appendLineEnd(to: &answers[Int(index)].lineEnd)
        return index
    }

    /// Keeps an answer that is written already.
    mutating func add(lineEnd: [UInt8], uses count: Int) -> Index {
        let index = take(count)
        answers[Int(index)].lineEnd.append(contentsOf: lineEnd)
        return index
    }

    /// A place with the storage of an answer whose lines are out.
    private mutating func take(_ count: Int) -> Index {
        precondition(count > 0, "an answer for nobody")
        if let index = free.popLast() {
            answers[Int(index)].uses = UInt32(count)
            return index
        }
        answers.append(Answer(lineEnd: [], uses: UInt32(count)))
        return Index(answers.count - 1)
    }

    /// Appends the end of the response lines with an answer.
    ///
    /// - Parameters:
    ///   - index: The answer.
    ///   - hasMembers: Whether members of the line stand before it already.
    ///   - buffer: Receives it, with a comma before it if need be.
    func appendLineEnd(_ index: Index, after hasMembers: Bool, to buffer: inout [UInt8]) {
        let lineEnd = answers[Int(index)].lineEnd.span
        // It begins with the comma.
        buffer.append(copying: hasMembers ? lineEnd : lineEnd.extracting(droppingFirst: 1))
    }

    /// Tells that one message has had its response line.
    mutating func release(_ index: Index) {
        answers[Int(index)].uses -= 1
        guard answers[Int(index)].uses == 0 else { return }
        answers[Int(index)].lineEnd.removeAll(keepingCapacity: true)
        free.append(index)
    }
}
