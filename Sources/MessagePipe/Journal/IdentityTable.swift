// SPDX-License-Identifier: Apache-2.0

/// The messages that a journal knows, and those of the run, by the keys of their identities.
///
/// An entry takes 32 bytes and its place in the hash table 4 to 16; entries stay where they are.
struct IdentityTable: Sendable {
    /// Where a message stands in the table.
    typealias Index = UInt32

    struct Entry {
        let key: Digest128
        /// Stands for the content of a message that has an `Id`, else 0.
        var content: UInt64
        /// The request that it was last in; ``noBatch`` if it was in none.
        var batch: UInt32 = noBatch
        /// How many messages with this content the run has read; with an `Id`, whether one is under way.
        var occurrences: UInt32 = 0

        var isUnderWay: Bool {
            get { content != 0 && occurrences > 0 }
            set { occurrences = newValue ? 1 : 0 }
        }
    }

    /// Stands for no request.
    static let noBatch = UInt32.max

    private var entries: [Entry] = []
    /// The number of an entry from 1, or 0; probed linearly.
    private var places = [UInt32](repeating: 0, count: 64)

    var count: Int { entries.count }

    subscript(index: Index) -> Entry {
        get { entries[Int(index)] }
        _modify { yield &entries[Int(index)] }
    }

    /// Makes room.
    mutating func reserve(_ count: Int) {
        entries.reserveCapacity(count)
        var size = places.count
        while count * 4 > size * 3 { size *= 2 }
        if size > places.count { rehash(size) }
    }

    /// The entry of a key, which is made if there is none.
    mutating func findOrInsert(_ key: Digest128, content: UInt64) -> (index: Index, isNew: Bool) {
        let mask = places.count - 1
        var position = Int(truncatingIfNeeded: key.low) & mask
        while places[position] != 0 {
            let index = places[position] - 1
            if entries[Int(index)].key == key { return (index, false) }
            position = (position + 1) & mask
        }
        entries.append(Entry(key: key, content: content))
        places[position] = UInt32(entries.count)
        if entries.count * 4 > places.count * 3 { rehash(places.count * 2) }
        return (UInt32(entries.count - 1), true)
    }

    private mutating func rehash(_ size: Int) {
        places = [UInt32](repeating: 0, count: size)
        for (index, entry) in entries.enumerated() {
            var position = Int(truncatingIfNeeded: entry.key.low) & (size - 1)
            while places[position] != 0 { position = (position + 1) & (size - 1) }
            places[position] = UInt32(index + 1)
        }
    }
}
