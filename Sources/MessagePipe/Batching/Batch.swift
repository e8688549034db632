// SPDX-License-Identifier: Apache-2.0

import BasicContainers

/// Messages that share a request, from the first that opens it to the answer that settles them.
///
/// Not copyable, and with its texts in its own storage: with a thousand templates the next message goes into a batch that the
/// processor has nothing of at hand, and each further piece of memory to be fetched counts.
struct Batch: ~Copyable {
    /// A message of the batch.
    struct Item: BitwiseCopyable {
        var slot: MessageTable.Slot
        var phoneKey: UInt64
    }

    /// Where the batch is on its way.
    enum Phase {
        /// Takes messages; then ready, when it is full or has waited long enough.
        case open
        /// Waits for a permit; then in flight, or settled as skipped.
        case ready
        /// Waits until its intent is on record; then in flight, or settled as skipped.
        case recording
        /// With the gateway; then settled, ready again (refused before acceptance, never left), split, or confirming.
        case inFlight
        /// Waits until it may be tried again; then ready.
        case backingOff
        /// May have been sent: waits for the next look-up; then settled.
        case confirming
        /// A look-up is with the gateway; then confirming or settled.
        case inLookUp
        /// Has its outcome, and waits until that is on record; then settled.
        case concluding
        /// All its messages have their answer, or went on in other batches; the record is free.
        case settled
    }

    // First in the record what is touched by each message that is added, so that few cache lines hold it; `touchedByteCount`
    // counts it.

    var key = BatchKey()
    private var items = UniqueArray<Item>()
    /// What the request says of each of them.
    private(set) var texts = RequestTexts()
    /// What the journal says of each of them; empty without a journal.
    private(set) var records: [JournalRecord.Message] = []
    /// A Bloom filter over the items' phone keys, so that a number is searched for only if it may be there: one search in a
    /// hundred messages, two bits of a word for each number.
    private var filter = InlineArray<16, UInt64>(repeating: 0)
    /// How much of a record adding a message touches, in bytes.
    fileprivate static let touchedByteCount =
        MemoryLayout<BatchKey>.stride + MemoryLayout<UniqueArray<Item>>.stride + MemoryLayout<RequestTexts>.stride
        + MemoryLayout<[JournalRecord.Message]>.stride + MemoryLayout<InlineArray<16, UInt64>>.stride

    var phase = Phase.settled
    /// Counts the batches of the run; the number in the BatchId.
    var serial: UInt64 = 0
    /// The BatchId, unless an earlier run has left the batch open: unique to the run and the batch, the same for every attempt
    /// that was known not to be taken.
    private(set) var id: [UInt8] = []
    /// When its oldest message arrived.
    var oldest = Instant(nanoseconds: 0)
    /// The next open batch of the same key, which takes numbers that this one has already.
    var nextOpen: BatchTable.Index?
    /// Sent alone, by SendSms, ahead of others.
    var isUrgent = false
    /// How often it was tried, a look-up not counted.
    var attempts = 0
    /// Whether it has been signed anew because the gateway found it too old.
    var isSignedAnew = false
    /// The request that is with the gateway.
    var request: UInt64 = 0
    /// When the request was handed out, or left if it had to wait for a connection.
    var sentAt = Instant(nanoseconds: 0)
    /// Until when the request's answer is awaited.
    var timeoutAt = Instant(nanoseconds: 0)
    /// The day of the last request in China time, `yyyyMMdd`; 0 if none left.
    var sendDate: UInt32 = 0
    /// Why it may or may not have been sent.
    var doubt: Doubt?
    /// The gateway's id of the request, where an answer left it in doubt.
    var doubtfulRequestID: String?
    /// When it began to be in doubt, and how often it was looked up since.
    var doubtSince = Instant(nanoseconds: 0)
    var lookUps = 0
    /// Whether the journal has it, as intended or withdrawn.
    var isRecorded = false
    /// Where the journal's requests have it, if an earlier run has left it open or a message of it has an `Id`.
    var recorded: RecordedBatches.Index?
    /// Whether the journal says that it may have left.
    var hasIntent = false
    /// The group of records that says that it was not taken; 0 if none does.
    var withdrawnIn = 0
    /// Whether an earlier run has left it open.
    var isRecovered = false

    /// How many messages the batch has.
    var count: Int { items.count }

    /// A message of the batch, in the request's order.
    func item(_ place: Int) -> Item { items[place] }

    /// Whether no message may be added, as the batch has so many or their texts are so long.
    func isFull(_ size: Int) -> Bool { count >= size || texts.bytes.count >= Self.enoughTextBytes }
    /// How many bytes of texts a batch has before no message is added; long lines alone reach it, and a request could get longer
    /// than a buffer of the network library can be.
    private static let enoughTextBytes = 16 << 20

    /// Whether a number is in the batch.
    func contains(phoneKey: UInt64) -> Bool {
        let (word, bits) = Self.filterBits(phoneKey)
        guard filter[word] & bits == bits else { return false }
        for index in items.indices where items[index].phoneKey == phoneKey { return true }
        return false
    }

    /// Begins to fetch what the next message will be written to.
    @inline(__always)
    func prefetchEnds() {
        items.prefetchEnd(byteCount: MemoryLayout<Item>.size)
        texts.prefetchEnds()
    }

    /// Adds a message whose number is not in the batch.
    mutating func append(_ slot: MessageTable.Slot, of messages: borrowing MessageTable) {
        let phoneKey = messages[slot].phoneKey
        let (word, bits) = Self.filterBits(phoneKey)
        filter[word] |= bits
        items.append(Item(slot: slot, phoneKey: phoneKey))
        texts.append(slot, of: messages)
        if let record = messages.record(slot) { records.append(record) }
    }

    /// Makes the record ready for a new batch; keeps its storage.
    mutating func reset(runID: String, serial: UInt64, oldest: Instant) {
        items.removeAll(keepingCapacity: true)
        texts.removeAll()
        records.removeAll(keepingCapacity: true)
        filter = InlineArray(repeating: 0)
        phase = .open
        self.serial = serial
        id.removeAll(keepingCapacity: true)
        id.append(contentsOf: runID.utf8)
        id.append(UInt8(ascii: "-"))
        id.append(decimal: serial)
        self.oldest = oldest
        nextOpen = nil
        isUrgent = false
        attempts = 0
        isSignedAnew = false
        sendDate = 0
        doubt = nil
        doubtfulRequestID = nil
        lookUps = 0
        isRecorded = false
        recorded = nil
        hasIntent = false
        withdrawnIn = 0
        isRecovered = false
    }

    private static func filterBits(_ phoneKey: UInt64) -> (word: Int, bits: UInt64) {
        let mixed = phoneKey &* 0x9E37_79B9_7F4A_7C15
        return (Int(mixed >> 60), 1 << (mixed >> 54 & 63) | 1 << (mixed >> 48 & 63))
    }
}

/// The records of all batches under way; freed ones are used again.
struct BatchTable: ~Copyable {
    typealias Index = Int32

    private let runID: String
    private var batches = UniqueArray<Batch>()
    private var free: [Index] = []
    private var nextSerial: UInt64 = 1

    /// - Parameter runID: What all BatchIds begin with.
    init(runID: String) {
        self.runID = runID
    }

    subscript(index: Index) -> Batch {
        _read { yield batches[Int(index)] }
        _modify { yield &batches[Int(index)] }
    }

    /// How many batches the run has made.
    var made: UInt64 { nextSerial - 1 }

    /// How many records are not free.
    var inUse: Int { batches.count - free.count }

    /// Begins to fetch what adding a message to a batch touches of its record.
    @inline(__always)
    func prefetch(_ index: Index) {
        batches.prefetch(at: Int(index), byteCount: Batch.touchedByteCount)
    }

    /// Starts a batch.
    mutating func make(oldest: Instant) -> Index {
        let index: Index
        if let reused = free.popLast() {
            index = reused
        } else {
            batches.append(Batch())
            index = Index(batches.count - 1)
        }
        batches[Int(index)].reset(runID: runID, serial: nextSerial, oldest: oldest)
        nextSerial += 1
        return index
    }

    /// Frees the record of a batch whose messages are settled or have gone on in other batches.
    mutating func release(_ index: Index) {
        batches[Int(index)].phase = .settled
        free.append(index)
    }
}
