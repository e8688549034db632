// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// Gathers messages into batches that can share a request.
///
/// A message goes into the first open batch of its key that does not hold its number yet; so a number stands at most once in
/// a request, and inputs that name every number twice still fill their batches. A batch is closed when it is full, and when
/// the caller says so: once it is due and can leave.
struct Batcher: ~Copyable {
    /// The most open batches of one key; a number that is in all of them closes the oldest.
    static let maximumOpenOfKey = 16

    private let size: Int
    private let linger: Duration
    private var heads = OpenBatchIndex()
    /// Open batches by age; those closed since are recognised by their serial.
    private var byAge: Deque<(index: BatchTable.Index, serial: UInt64)> = []
    /// How many batches are open.
    private(set) var openCount = 0
    /// The serial up to which open batches are due at once.
    private var flushed: UInt64 = 0

    /// - Parameters:
    ///   - size: The most messages in a batch.
    ///   - linger: How long a batch's oldest message waits for others.
    init(size: Int, linger: Duration) {
        self.size = size
        self.linger = linger
    }

    /// Adds a message.
    ///
    /// - Returns: The batch that is closed by it, if one is.
    mutating func add(
        _ slot: MessageTable.Slot,
        of messages: borrowing MessageTable,
        to batches: inout BatchTable,
        at now: Instant,
    ) -> BatchTable.Index? {
        let message = messages[slot]
        let isUrgent = message.traits.contains(.isUrgent)
        let head = isUrgent ? nil : heads.first(message.batchKeyHash, slot, in: messages, batches)
        var chainCount = 0
        var last: BatchTable.Index?
        var next = head
        while let index = next {
            if !batches[index].contains(phoneKey: message.phoneKey) {
                batches[index].append(slot, of: messages)
                return batches[index].isFull(size) ? closed(index, in: &batches) : nil
            }
            chainCount += 1
            last = index
            next = batches[index].nextOpen
        }
        let opened = open(slot, message, messages, &batches, at: now)
        guard !isUrgent, size > 1 else {
            batches[opened].isUrgent = isUrgent
            batches[opened].phase = .ready
            return opened
        }
        if let last {
            batches[last].nextOpen = opened
        } else {
            heads.insert(opened, batches)
        }
        byAge.append((opened, batches[opened].serial))
        openCount += 1
        guard chainCount >= Self.maximumOpenOfKey, let head else { return nil }
        return closed(head, in: &batches)
    }

    /// Declares all open batches due, however little they have waited.
    mutating func flush(_ batches: borrowing BatchTable) {
        flushed = batches.made
    }

    /// The oldest open batch, if it is due: it has waited for the linger, or was flushed.
    ///
    /// It goes on filling until it is closed, so nothing is lost by closing it only when it can leave.
    mutating func oldestDue(_ batches: borrowing BatchTable, at now: Instant) -> BatchTable.Index? {
        guard let due = nextDue(batches), due <= now else { return nil }
        return byAge.first?.index
    }

    /// When the oldest open batch is due; a time long ago if it was flushed.
    mutating func nextDue(_ batches: borrowing BatchTable) -> Instant? {
        dropClosed(batches)
        guard let oldest = byAge.first else { return nil }
        if oldest.serial <= flushed { return .beforeAll }
        // Without linger a batch waits for the end of the input that is ready, which comes as a flush.
        return linger == .zero ? nil : batches[oldest.index].oldest.advanced(by: linger)
    }

    /// The oldest open batch, if there is one.
    mutating func oldest(_ batches: borrowing BatchTable) -> BatchTable.Index? {
        dropClosed(batches)
        return byAge.first?.index
    }

    /// Closes an open batch.
    mutating func close(_ index: BatchTable.Index, in batches: inout BatchTable) {
        _ = closed(index, in: &batches)
    }

    private mutating func open(
        _ slot: MessageTable.Slot,
        _ message: Message,
        _ messages: borrowing MessageTable,
        _ batches: inout BatchTable,
        at now: Instant,
    ) -> BatchTable.Index {
        let index = batches.make(oldest: now)
        messages.withChunk(of: slot) { batches[index].key.assign(message, from: $0) }
        batches[index].append(slot, of: messages)
        return index
    }

    private mutating func closed(_ index: BatchTable.Index, in batches: inout BatchTable) -> BatchTable.Index {
        heads.remove(index, &batches)
        batches[index].phase = .ready
        openCount -= 1
        // One batch that stays open long must not keep the entries of all that came and went behind it.
        if byAge.count > 2 * openCount + 64 { byAge.removeAll { !Self.isOpen($0, batches) } }
        return index
    }

    private static func isOpen(
        _ entry: (index: BatchTable.Index, serial: UInt64),
        _ batches: borrowing BatchTable,
    ) -> Bool {
        batches[entry.index].serial == entry.serial && batches[entry.index].phase == .open
    }

    private mutating func dropClosed(_ batches: borrowing BatchTable) {
        while let first = byAge.first {
            guard !Self.isOpen(first, batches) else { return }
            byAge.removeFirst()
        }
    }
}

// With a thousand open batches the next message goes into one that the processor has nothing of at hand, and stores that miss its
// caches are made one after the other. Fetched beforehand, for some messages at once, they cost 10 % less of all CPU.

extension Batcher {
    private typealias LookAhead = InlineArray<16, BatchTable.Index>

    /// How many messages are looked ahead at by ``prefetch(_:ofChunk:_:_:)``.
    static var prefetchCount: Int { LookAhead.count }

    /// Whether there are more open batches than the processor has at hand.
    var isSpread: Bool { openCount > 64 }

    /// Begins to fetch what adding messages will write to, ``prefetchCount`` at most.
    func prefetch(
        _ places: Range<Int>,
        ofChunk chunk: UInt32,
        _ messages: borrowing MessageTable,
        _ batches: borrowing BatchTable,
    ) {
        // In two passes: where a batch's texts end stands in its record.
        var found = LookAhead(repeating: -1)
        for (number, place) in places.enumerated() {
            let slot = MessageTable.Slot(chunk: chunk, place: UInt32(truncatingIfNeeded: place))
            found[number] = heads.likely(messages[slot].batchKeyHash)
            if found[number] >= 0 { batches.prefetch(found[number]) }
        }
        for number in 0..<places.count where found[number] >= 0 {
            batches[found[number]].prefetchEnds()
        }
    }
}
