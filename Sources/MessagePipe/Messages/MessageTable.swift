// SPDX-License-Identifier: Apache-2.0

import BasicContainers

/// The messages that were read and are not yet answered, in the chunks that they came in.
///
/// A message stays where its chunk has it, from its arrival until its response line has been written to the output buffer.
/// A chunk goes with the last of its messages.
struct MessageTable: ~Copyable {
    /// Where a message stands in the table.
    struct Slot: Hashable, Sendable {
        /// The chunk, by its number in the table.
        var chunk: UInt32
        /// The message, by its place in the chunk.
        var place: UInt32
    }

    /// A chunk, and what is known of its messages.
    ///
    /// Not copyable, so that looking at a message costs no reference count.
    struct Holding: ~Copyable {
        var chunk: Chunk
        /// The answer of each message; ``AnswerTable/none`` until it has one.
        ///
        /// Not optional, which would double the size: the answers of a batch lie all over the window.
        var answers: [AnswerTable.Index]
        /// How many of its messages are still in the table.
        var count: Int
    }

    private var holdings = UniqueArray<Holding>()
    private var free: [UInt32] = []
    /// Chunks whose messages are gone, for their storage.
    private var spare: [Chunk] = []
    /// How many messages the table holds.
    private(set) var count = 0
    /// How many bytes its chunks hold.
    private(set) var byteCount = 0
    /// How many messages and bytes it held and holds no more.
    private(set) var released: (messages: Int, bytes: Int) = (0, 0)

    subscript(slot: Slot) -> Message {
        _read { yield holdings[Int(slot.chunk)].chunk.messages[Int(slot.place)] }
    }

    /// Takes over a chunk with its messages, at least one.
    ///
    /// - Parameter chunk: The chunk; what else it brings is the caller's.
    /// - Returns: The chunk's number, as its messages' slots have it.
    mutating func hold(_ chunk: consuming Chunk) -> UInt32 {
        let messageCount = chunk.messages.count
        precondition(messageCount > 0, "a chunk without messages would never go")
        count += messageCount
        byteCount += chunk.byteCount
        let holding = Holding(
            chunk: chunk,
            answers: Array(repeating: AnswerTable.none, count: messageCount),
            count: messageCount,
        )
        if let index = free.popLast() {
            holdings[Int(index)] = holding
            return index
        }
        holdings.append(holding)
        return UInt32(holdings.count - 1)
    }

    /// An emptied chunk with the storage of one that is gone, if there is one.
    mutating func takeSpare() -> Chunk? { spare.popLast() }

    /// How many messages a chunk came with.
    func messageCount(ofChunk index: UInt32) -> Int { holdings[Int(index)].answers.count }

    /// The answer of a message, once it has one.
    func answer(_ slot: Slot) -> AnswerTable.Index? {
        let answer = holdings[Int(slot.chunk)].answers[Int(slot.place)]
        return answer == AnswerTable.none ? nil : answer
    }

    /// Gives a message its answer.
    mutating func setAnswer(_ slot: Slot, _ answer: AnswerTable.Index) {
        holdings[Int(slot.chunk)].answers[Int(slot.place)] = answer
    }

    /// The request that a message was last in when the journal was opened; there has to be a journal.
    func recordedBatch(_ slot: Slot) -> RecordedBatches.Index {
        holdings[Int(slot.chunk)].chunk.identities[Int(slot.place)].batch
    }

    /// What the journal says of a message; `nil` if there is none.
    @inline(__always)
    func record(_ slot: Slot) -> JournalRecord.Message? {
        guard !holdings[Int(slot.chunk)].chunk.identities.isEmpty else { return nil }
        return JournalRecord.Message(
            key: holdings[Int(slot.chunk)].chunk.identities[Int(slot.place)].key,
            content: id(slot)?.content ?? 0,
            line: self[slot].line,
        )
    }

    /// What is known of a message's `Id`; `nil` if it has none.
    func id(_ slot: Slot) -> MessageID? {
        guard !holdings[Int(slot.chunk)].chunk.ids.isEmpty else { return nil }
        let id = holdings[Int(slot.chunk)].chunk.ids[Int(slot.place)]
        return id.content == 0 ? nil : id
    }

    /// Lets go of messages of a chunk whose response lines are out.
    mutating func remove(_ removed: Int, ofChunk index: UInt32) {
        count -= removed
        released.messages += removed
        holdings[Int(index)].count -= removed
        guard holdings[Int(index)].count == 0 else { return }
        let bytes = holdings[Int(index)].chunk.byteCount
        byteCount -= bytes
        released.bytes += bytes
        var gone = Holding(chunk: Chunk(), answers: [], count: 0)
        swap(&holdings[Int(index)], &gone)
        free.append(index)
        guard Chunk.reusableByteCounts.contains(gone.chunk.byteCapacity) else { return }
        gone.chunk.removeAll()
        spare.append(gone.chunk)
    }

    /// The chunk that holds the bytes of a message.
    func withChunk<Result>(of slot: Slot, _ body: (borrowing Chunk) -> Result) -> Result {
        body(holdings[Int(slot.chunk)].chunk)
    }

    /// The chunk with a number.
    func withChunk<Result>(_ index: UInt32, _ body: (borrowing Chunk) -> Result) -> Result {
        body(holdings[Int(index)].chunk)
    }

    /// Calls a function with the bytes of a range of one of a chunk's messages.
    ///
    /// For what is done for every message: it touches no reference count, as handing out the whole chunk does.
    @inline(__always)
    func withBytes<Result>(
        of range: ByteRange,
        inChunk index: UInt32,
        _ body: (borrowing Span<UInt8>) -> Result,
    ) -> Result {
        if range.isRewritten {
            body(holdings[Int(index)].chunk.rewritten.span.extracting(range.indices))
        } else {
            body(holdings[Int(index)].chunk.bytes.span.extracting(range.indices))
        }
    }

    /// Whether a message belongs to the requests of a key.
    func message(_ slot: Slot, has key: borrowing BatchKey) -> Bool {
        guard self[slot].traits.intersection(.shared) == key.traits else { return false }
        return withBytes(of: self[slot].templateCode, inChunk: slot.chunk) { key.has(templateCode: $0) }
            && withBytes(of: self[slot].outID, inChunk: slot.chunk) { key.has(outID: $0) }
    }
}
