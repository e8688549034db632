// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Values by the keys of identities: a hash table of 16 bytes a place, 32 to 64 a key.
struct KeyTable: Sendable {
    /// Where a key stands until the next one is inserted.
    typealias Place = Int

    /// A key with its value; all zeros where there is none.
    private struct Entry {
        var low: UInt64 = 0
        var high: UInt32 = 0
        var value: UInt32 = 0
    }

    /// Probed linearly from the place that a key's first bits name; so a larger table is filled from its start to its end.
    private var entries = [Entry](repeating: Entry(), count: 1 << 10)
    /// What is left of a key's first word where its place is taken from.
    private var shift: UInt64 = 64 - 10
    private(set) var count = 0

    /// What was read of places only to have them in the cache; kept, so that the reading is not left out.
    private var prefetched: UInt64 = 0

    /// The value of a key.
    subscript(place: Place) -> UInt32 {
        get { entries[place].value }
        set { entries[place].value = newValue }
    }

    /// Brings the places of keys that are about to be looked for into the cache.
    ///
    /// Memory answers many reads in the time of one if none depends on another.
    mutating func prefetch(_ identities: [MessageIdentity]) {
        var prefetched: UInt64 = 0
        for identity in identities {
            let place = home(identity.key.low)
            // A search mostly ends within some places, which may lie in the next cache line.
            prefetched ^= entries[place].low ^ entries[(place &+ 3) & (entries.count &- 1)].low
        }
        self.prefetched = prefetched
    }

    /// The place of a key, with a value where there is none yet.
    mutating func findOrInsert(_ key: Digest96, value: @autoclosure () -> UInt32) -> Place {
        // Zeros stand for no key.
        let high = key.high == 0 && key.low == 0 ? 1 : key.high
        var place = home(key.low)
        while true {
            if entries[place].low == key.low, entries[place].high == high { return place }
            if entries[place].low == 0, entries[place].high == 0 { break }
            place = (place &+ 1) & (entries.count &- 1)
        }
        if count >= entries.count / 2 {
            grow()
            place = gap(for: key.low)
        }
        count += 1
        entries[place] = Entry(low: key.low, high: high, value: value())
        return place
    }

    @inline(__always)
    private func home(_ low: UInt64) -> Place { Int(truncatingIfNeeded: low &>> shift) }

    private func gap(for low: UInt64) -> Place {
        var place = home(low)
        while entries[place].low != 0 || entries[place].high != 0 { place = (place &+ 1) & (entries.count &- 1) }
        return place
    }

    /// Empty places.
    private static func places(_ count: Int) -> [Entry] {
        unsafe [Entry](unsafeUninitializedCapacity: count) { entries, initializedCount in
            unsafe adviseHugePages(UnsafeMutableRawBufferPointer(entries))
            unsafe entries.initialize(repeating: Entry())
            initializedCount = count
        }
    }

    /// Asks for large pages: every search goes to another page, and looking up where that is costs more than the search.
    private static func adviseHugePages(_ bytes: UnsafeMutableRawBufferPointer) {
        let pageSize = 2 << 20
        guard let base = bytes.baseAddress, bytes.count >= 2 * pageSize else { return }
        let skipped = -Int(bitPattern: base) & (pageSize - 1)
        unsafe _ = madvise(base + skipped, (bytes.count - skipped) & -pageSize, MADV_HUGEPAGE)
    }

    private mutating func grow() {
        let old = entries
        entries = Self.places(2 * old.count)
        shift -= 1
        for entry in old where entry.low != 0 || entry.high != 0 { entries[gap(for: entry.low)] = entry }
    }
}
