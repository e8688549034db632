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
    /// The most repeated messages that are shown; further ones are only counted.
    static let maximumShownCount = 100_000
    private static let maximumBizIDCount = 16

    private var seen = DigestSet()
    /// The messages that were taken more than once, by hash.
    private(set) var duplicates: [UInt64: Duplicate] = [:]

    /// How many messages were repeats of others.
    private(set) var repeatCount = 0
    /// How many different messages were taken.
    var distinctCount: Int { seen.count }
    /// Whether further messages are no longer told apart.
    var isFull: Bool { seen.count >= Self.maximumCount }

    /// Notes a message that was taken.
    ///
    /// - Parameters:
    ///   - digest: The hash of its content.
    ///   - bizID: The receipt id of its request.
    ///   - message: Makes the message if it turns out to be the first repeat.
    mutating func note(_ digest: UInt64, bizID: String, _ message: () -> SentMessage) {
        guard !isFull, !seen.insert(digest) else { return }
        repeatCount += 1
        if let known = duplicates[digest] {
            duplicates[digest]?.count += 1
            if known.bizIDs.count < Self.maximumBizIDCount { duplicates[digest]?.bizIDs.append(bizID) }
        } else if duplicates.count < Self.maximumShownCount {
            duplicates[digest] = Duplicate(message: message(), count: 2, bizIDs: [bizID])
        }
    }

    /// Forgets everything.
    mutating func removeAll() {
        self = DuplicatesLedger()
    }
}
