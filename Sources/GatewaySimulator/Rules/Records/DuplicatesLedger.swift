// SPDX-License-Identifier: Apache-2.0

/// Counts how often each message was taken, whatever request it came in.
///
/// A message is its phone number, sign name, template, values and extension code; the OutId does not count, as a client that sends
/// again may give the repeat a new one. The ledger goes beyond the messages that are kept to be looked at. It compares a message
/// with so many of the latest that its memory stays bounded, and says how many it has forgotten.
struct DuplicatesLedger: Sendable {
    /// A message that was taken more than once.
    struct Duplicate: Sendable {
        /// The message as it was taken when it was first found to be a repeat.
        var message: SentMessage
        /// How often it was taken.
        var count: Int
        /// The receipt ids of its repeats, the first sixteen at most.
        var bizIDs: [String]
    }

    /// The most repeated messages that are shown; further ones are only counted.
    static let maximumShownCount = 10_000
    private static let maximumBizIDCount = 16

    /// The most different messages of one of the two generations.
    private let generationSize: Int
    private var current = DigestSet()
    private var earlier = DigestSet()
    /// The messages that were taken more than once, by hash.
    private(set) var duplicates: [UInt64: Duplicate] = [:]
    /// How many different messages were taken, as far as they are told apart.
    private(set) var distinctCount = 0
    /// How many messages were repeats of others.
    private(set) var repeatCount = 0
    /// How many of the repeats are of messages that are not shown.
    private(set) var hiddenRepeatCount = 0
    /// How many different messages are no longer compared with.
    private(set) var forgottenCount = 0

    /// With how many messages the next one is compared.
    var comparedCount: Int { current.count + earlier.count }

    /// Creates an empty ledger.
    ///
    /// - Parameter capacity: How many different messages are remembered at most, and half of it at least.
    init(capacity: Int) {
        generationSize = max(1, capacity / 2)
    }

    /// Notes messages that were taken together.
    ///
    /// - Parameters:
    ///   - digests: The hashes of their contents.
    ///   - bizID: The receipt id of their request.
    ///   - message: Makes a message of its index, if it turns out to be the first repeat of another.
    mutating func note(_ digests: [UInt64], bizID: String, _ message: (Int) -> SentMessage) {
        // Without this look ahead each of a hundred hashes would wait for the memory alone.
        var mayBeEarlier = digests.reduce(0) { $0 | current.firstSlot(of: $1) | earlier.firstSlot(of: $1) } != 0
        for (index, digest) in digests.enumerated() {
            let isFull = current.count >= generationSize
            let isKnown = (mayBeEarlier && earlier.contains(digest)) || (isFull && current.contains(digest))
            if isFull, !isKnown {
                forgetEarlier()
                mayBeEarlier = true
            }
            if !isKnown, current.insert(digest) {
                distinctCount += 1
            } else {
                noteRepeat(digest, bizID: bizID) { message(index) }
            }
        }
    }

    private mutating func noteRepeat(_ digest: UInt64, bizID: String, _ message: () -> SentMessage) {
        repeatCount += 1
        if let known = duplicates[digest] {
            duplicates[digest]?.count += 1
            if known.bizIDs.count < Self.maximumBizIDCount { duplicates[digest]?.bizIDs.append(bizID) }
        } else if duplicates.count < Self.maximumShownCount {
            duplicates[digest] = Duplicate(message: message(), count: 2, bizIDs: [bizID])
        } else {
            hiddenRepeatCount += 1
        }
    }

    private mutating func forgetEarlier() {
        forgottenCount += earlier.count
        earlier = current
        current = DigestSet()
    }

    /// Forgets everything.
    mutating func removeAll() {
        self = DuplicatesLedger(capacity: generationSize * 2)
    }
}
