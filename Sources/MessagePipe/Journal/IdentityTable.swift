// SPDX-License-Identifier: Apache-2.0

/// The messages that a journal knows, and those of the run, by the keys of their identities.
///
/// An entry takes 32 bytes and its place in the hash table 11 to 21; entries stay where they are.
struct IdentityTable: Sendable {
    /// Where a message stands in the table.
    typealias Index = UInt32

    struct Entry {
        let key: Digest128
        /// Stands for the content of a message that has an `Id`, else 0.
        let content: UInt64
        /// The request that it was last in by what was read; ``RecordedBatches/none`` if it was in none.
        var batch = RecordedBatches.none
        /// How many messages with this content the run has read.
        var occurrences: UInt32 = 0
    }

    private var entries: [Entry] = []
    /// A part of the key above the number of an entry from 1, or 0; probed linearly.
    ///
    /// The part tells most other keys apart without a look at their entries, and says where the place goes in a larger table.
    private var places = [UInt64](repeating: 0, count: 64)

    /// What was read of places only to have them at hand; kept, so that the reading is not left out.
    private var touched: UInt64 = 0

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
    mutating func findOrInsert(_ key: Digest128, content: UInt64) -> Index {
        let mask = places.count &- 1
        let tag = UInt32(truncatingIfNeeded: key.low)
        var position = Int(tag) & mask
        while places[position] != 0 {
            if UInt32(truncatingIfNeeded: places[position] &>> 32) == tag {
                let index = UInt32(truncatingIfNeeded: places[position]) &- 1
                if entries[Int(index)].key == key { return index }
            }
            position = (position &+ 1) & mask
        }
        entries.append(Entry(key: key, content: content))
        places[position] = UInt64(tag) &<< 32 | UInt64(entries.count)
        if entries.count * 4 > places.count * 3 { rehash(places.count * 2) }
        return UInt32(entries.count - 1)
    }

    /// Completes the identities of messages that have arrived, in the order of the input.
    ///
    /// - Parameters:
    ///   - identities: The identities.
    ///   - isFaulty: Whether a message, by its position, has a fault and so no identity.
    mutating func arrived(_ identities: inout [MessageIdentity], unless isFaulty: (Int) -> Bool) {
        // Memory answers many reads in the time of one if none depends on another: half the time of a search is saved.
        let mask = UInt64(places.count &- 1)
        for identity in identities { touched ^= places[Int(identity.key.low & mask)] }
        for index in identities.indices where !isFaulty(index) { arrived(&identities[index]) }
    }

    /// Completes an identity: its occurrence, and what the runs before have recorded of it.
    private mutating func arrived(_ identity: inout MessageIdentity) {
        var index = findOrInsert(identity.key, content: identity.content)
        if identity.hasID {
            identity.place = index
            identity.isReused = entries[Int(index)].content != identity.content
        } else {
            entries[Int(index)].occurrences += 1
            let number = entries[Int(index)].occurrences
            if number > 1 {
                identity.key = identity.key(ofOccurrence: number)
                index = findOrInsert(identity.key, content: 0)
            }
        }
        identity.batch = entries[Int(index)].batch
    }

    private mutating func rehash(_ size: Int) {
        let old = places
        places = [UInt64](repeating: 0, count: size)
        for place in old where place != 0 {
            var position = Int(truncatingIfNeeded: place &>> 32) & (size &- 1)
            while places[position] != 0 { position = (position &+ 1) & (size &- 1) }
            places[position] = place
        }
    }
}
