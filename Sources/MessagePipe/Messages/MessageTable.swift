// SPDX-License-Identifier: Apache-2.0

/// The messages that were read and are not yet answered, and the chunks that hold their bytes.
///
/// A message keeps its slot from its arrival until its response line has been written to the output buffer. A chunk goes
/// with the last of its messages.
struct MessageTable: ~Copyable {
    /// Where a message stands in the table.
    typealias Slot = UInt32

    struct Entry {
        var message: Message
        /// The chunk with its bytes.
        var chunk: UInt32
        /// Its answer, once it has one.
        var answer: AnswerTable.Index?
        /// Where the journal has it.
        var identity: IdentityTable.Index = 0
    }

    /// How much of a chunk is still needed; beside the chunks, so that counting touches no reference.
    private struct Holding {
        var unanswered: Int
        var byteCount: Int
    }

    private var entries: [Entry] = []
    private var freeSlots: [Slot] = []
    private var chunks: [Chunk] = []
    private var holdings: [Holding] = []
    private var freeChunks: [UInt32] = []
    /// How many messages the table holds.
    private(set) var count = 0
    /// How many bytes its chunks hold.
    private(set) var byteCount = 0
    /// How many messages and bytes it held and holds no more.
    private(set) var released: (messages: Int, bytes: Int) = (0, 0)

    subscript(slot: Slot) -> Entry {
        _read { yield entries[Int(slot)] }
        _modify { yield &entries[Int(slot)] }
    }

    /// Takes over a chunk's bytes; each of its messages, at least one, is then to be inserted.
    mutating func hold(_ chunk: consuming Chunk) -> UInt32 {
        let byteCount = chunk.byteCount
        self.byteCount += byteCount
        let holding = Holding(unanswered: chunk.messages.count, byteCount: byteCount)
        chunk.messages = []
        chunk.identities = []
        if let free = freeChunks.popLast() {
            chunks[Int(free)] = chunk
            holdings[Int(free)] = holding
            return free
        }
        chunks.append(chunk)
        holdings.append(holding)
        return UInt32(chunks.count - 1)
    }

    /// Gives a message of a held chunk its slot.
    mutating func insert(_ message: Message, chunk: UInt32) -> Slot {
        count += 1
        let entry = Entry(message: message, chunk: chunk, answer: nil)
        if let free = freeSlots.popLast() {
            entries[Int(free)] = entry
            return free
        }
        entries.append(entry)
        return Slot(entries.count - 1)
    }

    /// Frees the slot of a message whose response line is out.
    mutating func remove(_ slot: Slot) {
        count -= 1
        released.messages += 1
        freeSlots.append(slot)
        let index = Int(entries[Int(slot)].chunk)
        holdings[index].unanswered -= 1
        guard holdings[index].unanswered == 0 else { return }
        byteCount -= holdings[index].byteCount
        released.bytes += holdings[index].byteCount
        chunks[index] = Chunk(bytes: [])
        freeChunks.append(UInt32(index))
    }

    /// The chunk that holds the bytes of a message.
    func withChunk<Result>(of slot: Slot, _ body: (borrowing Chunk) -> Result) -> Result {
        body(chunks[Int(entries[Int(slot)].chunk)])
    }

    /// Whether a message belongs to the requests of a key.
    func message(_ slot: Slot, has key: borrowing BatchKey) -> Bool {
        let message = entries[Int(slot)].message
        guard message.traits.intersection(.shared) == key.traits else { return false }
        return withChunk(of: slot) { chunk in
            chunk.withBytes(of: message.templateCode) { key.hasTemplateCode($0) }
                && chunk.withBytes(of: message.outID) { key.hasOutID($0) }
        }
    }
}
