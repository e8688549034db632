// SPDX-License-Identifier: Apache-2.0

/// Counts how often each message was taken, whatever request it came in.
///
/// A message is its phone number, sign name, template, values and extension code; the OutId does not count, as a client that sends
/// again may give the repeat a new one. The ledger counts all messages, also those that are no longer kept.
struct DuplicatesLedger: Sendable {
    /// A message that was taken more than once.
    struct Duplicate: Sendable {
        /// The message as it was taken last.
        var message: SentMessage
        /// How often it was taken.
        var count: Int
        /// The receipt ids of its repeats, the first sixteen at most.
        var bizIDs: [String]
    }

    /// The most different messages that are told apart, so that memory stays bounded: half a gigabyte.
    static let maximumCount = 32_000_000
    private static let maximumBizIDCount = 16

    private var seen = DigestSet()
    /// The messages that were taken more than once, by hash.
    private(set) var duplicates: [UInt64: Duplicate] = [:]

    /// How many different messages were taken.
    var distinctCount: Int { seen.count }
    /// Whether further messages are no longer told apart.
    var isFull: Bool { seen.count >= Self.maximumCount }

    /// Notes a message that was taken.
    ///
    /// - Parameters:
    ///   - digest: The hash of its content.
    ///   - message: Makes the message if it turns out to be a repeat.
    mutating func note(_ digest: UInt64, _ message: () -> SentMessage) {
        guard !isFull, !seen.insert(digest) else { return }
        let repeated = message()
        var duplicate = duplicates[digest] ?? Duplicate(message: repeated, count: 1, bizIDs: [])
        duplicate.count += 1
        if duplicate.bizIDs.count < Self.maximumBizIDCount { duplicate.bizIDs.append(repeated.bizID) }
        duplicates[digest] = duplicate
    }

    /// Forgets everything.
    mutating func removeAll() {
        self = DuplicatesLedger()
    }
}
