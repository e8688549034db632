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
    private var openCount = 0
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
                return batches[index].count >= size ? closed(index, in: &batches) : nil
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
        if oldest.serial <= flushed { return Instant(nanoseconds: .min) }
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

/// Finds the open batches of a key: a hash table whose entries are the first batch of each key's chain.
private struct OpenBatchIndex: ~Copyable {
    private var table = [BatchTable.Index](repeating: -1, count: 64)
    private var count = 0

    /// The first open batch for a message.
    func first(
        _ hash: UInt64,
        _ slot: MessageTable.Slot,
        in messages: borrowing MessageTable,
        _ batches: borrowing BatchTable,
    ) -> BatchTable.Index? {
        var position = home(hash)
        while table[position] >= 0 {
            let index = table[position]
            if batches[index].key.hash == hash, messages.message(slot, has: batches[index].key) { return index }
            position = (position + 1) & (table.count - 1)
        }
        return nil
    }

    /// Adds the first batch of a key.
    mutating func insert(_ index: BatchTable.Index, _ batches: borrowing BatchTable) {
        if (count + 1) * 2 > table.count { grow(batches) }
        place(index, batches)
        count += 1
    }

    /// Removes a batch from its key's chain.
    mutating func remove(_ index: BatchTable.Index, _ batches: inout BatchTable) {
        var position = home(batches[index].key.hash)
        while table[position] >= 0 {
            var candidate = table[position]
            if candidate == index {
                if let next = batches[index].nextOpen {
                    table[position] = next
                } else {
                    vacate(position, batches)
                }
                batches[index].nextOpen = nil
                return
            }
            while let next = batches[candidate].nextOpen {
                if next == index {
                    batches[candidate].nextOpen = batches[index].nextOpen
                    batches[index].nextOpen = nil
                    return
                }
                candidate = next
            }
            position = (position + 1) & (table.count - 1)
        }
        preconditionFailure("batch \(index) is closed twice")
    }

    private func home(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (table.count - 1)
    }

    private mutating func place(_ index: BatchTable.Index, _ batches: borrowing BatchTable) {
        var position = home(batches[index].key.hash)
        while table[position] >= 0 { position = (position + 1) & (table.count - 1) }
        table[position] = index
    }

    /// Empties a position and moves later entries up, so that every search still ends at a gap.
    private mutating func vacate(_ position: Int, _ batches: borrowing BatchTable) {
        let mask = table.count - 1
        var gap = position
        var next = (gap + 1) & mask
        while table[next] >= 0 {
            let distance = (next &- home(batches[table[next]].key.hash)) & mask
            if distance >= (next &- gap) & mask {
                table[gap] = table[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        table[gap] = -1
        count -= 1
    }

    private mutating func grow(_ batches: borrowing BatchTable) {
        let old = table
        table = [BatchTable.Index](repeating: -1, count: old.count * 2)
        for index in old where index >= 0 { place(index, batches) }
    }
}
