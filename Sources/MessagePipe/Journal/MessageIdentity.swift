// SPDX-License-Identifier: Apache-2.0

/// What makes a message the same one in every run over a journal: its `Id`, or else its content and its occurrence.
package struct MessageIdentity: Equatable, Sendable {
    /// Stands for the `Id`, or else for the content and its occurrence.
    package var key: Digest96
    /// The request that the message was last in when the journal was opened; ``RecordedBatches/none`` if it was in none.
    var batch = RecordedBatches.none
}

/// What is known of a message that goes by its `Id`.
package struct MessageID: Equatable, Sendable {
    /// The bits that stand for a content.
    static let contentMask: UInt64 = 1 << 60 - 1

    /// Stands for the message's content; 0 where it has no `Id`.
    package var content: UInt64 = 0
    /// Where the `Id` stands among all of them.
    var place: IdentityTable.Place = 0
    /// Whether the `Id` stands for other content already.
    var isReused = false
}

extension Digest96 {
    /// The key of the n-th message with the content that this stands for, from 1.
    func ofOccurrence(_ number: UInt32) -> Digest96 {
        Digest96(low: low &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15, high: high)
    }
}
