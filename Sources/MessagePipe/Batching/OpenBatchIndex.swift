// SPDX-License-Identifier: Apache-2.0

/// Finds the open batches of a key: a hash table whose entries are the first batch of each key's chain.
struct OpenBatchIndex: ~Copyable {
    private struct Entry {
        /// Half of the key's hash: which batch it is, is found without looking at others, which are anywhere in memory.
        var hash: UInt32
        /// The batch; -1 where there is none.
        var batch: BatchTable.Index

        static let none = Entry(hash: 0, batch: -1)
    }

    private var table = [Entry](repeating: .none, count: 64)
    private var count = 0

    /// The batch that is likely the first for messages with a hash; -1 if there is none.
    @inline(__always)
    func likely(_ hash: UInt64) -> BatchTable.Index {
        let hash = Self.half(hash)
        var position = home(hash)
        while table[position].batch >= 0, table[position].hash != hash { position = (position + 1) & (table.count - 1) }
        return table[position].batch
    }

    /// The first open batch for a message.
    func first(
        _ hash: UInt64,
        _ slot: MessageTable.Slot,
        in messages: borrowing MessageTable,
        _ batches: borrowing BatchTable,
    ) -> BatchTable.Index? {
        let hash = Self.half(hash)
        var position = home(hash)
        while table[position].batch >= 0 {
            let entry = table[position]
            if entry.hash == hash, messages.message(slot, has: batches[entry.batch].key) { return entry.batch }
            position = (position + 1) & (table.count - 1)
        }
        return nil
    }

    /// Adds the first batch of a key.
    mutating func insert(_ index: BatchTable.Index, _ batches: borrowing BatchTable) {
        if (count + 1) * 2 > table.count { grow() }
        place(Entry(hash: Self.half(batches[index].key.hash), batch: index))
        count += 1
    }

    /// Removes a batch from its key's chain.
    mutating func remove(_ index: BatchTable.Index, _ batches: inout BatchTable) {
        let hash = Self.half(batches[index].key.hash)
        var position = home(hash)
        while table[position].batch >= 0 {
            // Other keys with an equal hash are passed as what they are: chains without the batch.
            if table[position].hash == hash, remove(index, fromChainAt: position, &batches) { return }
            position = (position + 1) & (table.count - 1)
        }
        preconditionFailure("batch \(index) is closed twice")
    }

    /// Removes a batch from a chain; tells whether it was in it.
    private mutating func remove(
        _ index: BatchTable.Index,
        fromChainAt position: Int,
        _ batches: inout BatchTable,
    ) -> Bool {
        var candidate = table[position].batch
        if candidate == index {
            if let next = batches[index].nextOpen {
                table[position].batch = next
            } else {
                vacate(position)
            }
            batches[index].nextOpen = nil
            return true
        }
        while let next = batches[candidate].nextOpen {
            if next == index {
                batches[candidate].nextOpen = batches[index].nextOpen
                batches[index].nextOpen = nil
                return true
            }
            candidate = next
        }
        return false
    }

    private static func half(_ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hash)
    }

    private func home(_ hash: UInt32) -> Int {
        Int(hash) & (table.count - 1)
    }

    private mutating func place(_ entry: Entry) {
        var position = home(entry.hash)
        while table[position].batch >= 0 { position = (position + 1) & (table.count - 1) }
        table[position] = entry
    }

    /// Empties a position and moves later entries up, so that every search still ends at a gap.
    private mutating func vacate(_ position: Int) {
        let mask = table.count - 1
        var gap = position
        var next = (gap + 1) & mask
        while table[next].batch >= 0 {
            let distance = (next &- home(table[next].hash)) & mask
            if distance >= (next &- gap) & mask {
                table[gap] = table[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        table[gap] = .none
        count -= 1
    }

    private mutating func grow() {
        let old = table
        table = [Entry](repeating: .none, count: old.count * 2)
        for entry in old where entry.batch >= 0 { place(entry) }
    }
}
