// SPDX-License-Identifier: Apache-2.0

/// A set of 64-bit hashes that costs some sixteen bytes a member.
struct DigestSet: Sendable {
    /// Open addressing; zero is an empty slot.
    private var slots: [UInt64]
    /// How many hashes it holds.
    private(set) var count = 0

    /// Creates an empty set.
    init() {
        slots = [UInt64](repeating: 0, count: 1_024)
    }

    /// Adds a hash.
    ///
    /// - Returns: Whether it was new.
    /// - Complexity: O(1), amortised.
    mutating func insert(_ digest: UInt64) -> Bool {
        let digest = max(digest, 1)
        if count * 2 >= slots.count { grow() }
        guard Self.place(digest, in: &slots) else { return false }
        count += 1
        return true
    }

    /// Whether the set holds a hash.
    func contains(_ digest: UInt64) -> Bool {
        let digest = max(digest, 1)
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: digest) & mask
        while slots[index] != 0 {
            if slots[index] == digest { return true }
            index = (index + 1) & mask
        }
        return false
    }

    /// Removes all hashes.
    mutating func removeAll() {
        self = DigestSet()
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: slots.count * 2)
        for digest in slots where digest != 0 { _ = Self.place(digest, in: &larger) }
        slots = larger
    }

    private static func place(_ digest: UInt64, in slots: inout [UInt64]) -> Bool {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: digest) & mask
        while slots[index] != 0 {
            if slots[index] == digest { return false }
            index = (index + 1) & mask
        }
        slots[index] = digest
        return true
    }
}

/// The nonces of the last fifteen minutes at least.
///
/// Source: api 10, "nonce remembered per key for at least 15 minutes".
struct NonceMemory: Sendable {
    private static let span = Duration.seconds(15 * 60)
    /// The most nonces of a generation, so that memory stays bounded: the older generation goes early then.
    private static let maximumCount = 16_000_000

    private var current = DigestSet()
    private var previous = DigestSet()
    private var startOfCurrent: WallTime?

    /// Notes a nonce of a key.
    ///
    /// - Returns: Whether it was new.
    mutating func insert(_ nonce: String, of accessKeyID: String, at now: WallTime) -> Bool {
        let start = startOfCurrent ?? now
        if startOfCurrent == nil || now - start >= Self.span || current.count >= Self.maximumCount {
            previous = current
            current = DigestSet()
            startOfCurrent = now
        }
        let digest = max(ContentHash.mix(ContentHash.of(nonce), ContentHash.of(accessKeyID)), 1)
        // A nonce of the previous generation counts as used; it is put into the current one, where it does no harm.
        let isNew = previous.contains(digest) == false
        return current.insert(digest) && isNew
    }
}
