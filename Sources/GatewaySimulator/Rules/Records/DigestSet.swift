// SPDX-License-Identifier: Apache-2.0

/// A set of 64-bit hashes in eleven to sixteen bytes a member.
///
/// It is made of 256 tables that grow one by one, so that no insertion has to wait until millions of hashes have moved.
struct DigestSet: Equatable, Sendable {
    private var tables = [Table](repeating: Table(), count: 256)
    /// How many hashes it holds.
    private(set) var count = 0

    /// Adds a hash.
    ///
    /// - Returns: Whether it was new.
    /// - Complexity: O(1), amortised.
    mutating func insert(_ digest: UInt64) -> Bool {
        guard tables[Self.table(of: digest)].insert(digest) else { return false }
        count += 1
        return true
    }

    /// Whether the set holds a hash.
    func contains(_ digest: UInt64) -> Bool {
        tables[Self.table(of: digest)].contains(digest)
    }

    /// The first slot in which a hash may stand, whatever stands there.
    ///
    /// A large set lies in main memory. Who looks up many hashes first asks for all of their slots: the processor fetches
    /// them side by side, as no answer decides about the next question.
    func firstSlot(of digest: UInt64) -> UInt64 {
        tables[Self.table(of: digest)].firstSlot(of: digest)
    }

    private static func table(of digest: UInt64) -> Int { Int(truncatingIfNeeded: digest >> 56) }

    /// Hashes by open addressing, in the order of their values but for collisions.
    private struct Table: Equatable, Sendable {
        /// Zero is an empty slot.
        private var slots = [UInt64](repeating: 0, count: 8)
        private var count = 0

        mutating func insert(_ digest: UInt64) -> Bool {
            let digest = max(digest, 1)
            if (count + 1) * 4 > slots.count * 3 { grow() }
            let index = index(of: digest)
            guard slots[index] == 0 else { return false }
            slots[index] = digest
            count += 1
            return true
        }

        func contains(_ digest: UInt64) -> Bool {
            slots[index(of: max(digest, 1))] != 0
        }

        func firstSlot(of digest: UInt64) -> UInt64 {
            slots[home(of: digest)]
        }

        /// Where a hash stands, or the empty slot where it would.
        private func index(of digest: UInt64) -> Int {
            var index = home(of: digest)
            while slots[index] != 0, slots[index] != digest {
                index += 1
                if index == slots.count { index = 0 }
            }
            return index
        }

        /// A larger hash has a later home, so growing walks through both arrays in order.
        private func home(of digest: UInt64) -> Int {
            // The upper eight bits are the same in all of the table.
            Int(truncatingIfNeeded: (digest << 8).multipliedFullWidth(by: UInt64(slots.count)).high)
        }

        private mutating func grow() {
            let old = slots
            slots = [UInt64](repeating: 0, count: old.count / 2 * 3)
            for digest in old where digest != 0 { slots[index(of: digest)] = digest }
        }
    }
}
