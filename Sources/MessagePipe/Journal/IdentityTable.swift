// SPDX-License-Identifier: Apache-2.0

/// The messages that a journal knows, and those of the run, by the keys of their identities.
struct IdentityTable: Sendable {
    /// Where an `Id` stands among all of them.
    typealias Place = UInt32

    /// What is known of a message that has an `Id`.
    private struct Known {
        let content: UInt64
        var batch: RecordedBatches.Index
    }

    /// Says of the value of a content's key that the run has read a message with it.
    private static let hasArrived: UInt32 = 1 << 31
    private static let batchMask = hasArrived - 1

    /// The request that a message without an `Id` was last in by what was read, and whether the run has one.
    private var contents = KeyTable()
    /// The place of an `Id`.
    private var ids = KeyTable()
    private var known: [Known] = []
    /// How many messages with a content the run has read, where that is more than one.
    private var occurrences: [Digest96: UInt32] = [:]

    /// How many messages are known.
    var count: Int { contents.count + ids.count }

    /// Notes the request that a message was in.
    ///
    /// - Parameters:
    ///   - key: The key of its identity.
    ///   - content: Stands for its content if it has an `Id`, else 0.
    ///   - batch: The request.
    mutating func note(_ key: Digest96, content: UInt64, in batch: RecordedBatches.Index) {
        if content != 0 {
            known[Int(place(ofID: key, content: content))].batch = batch
        } else {
            contents[contents.findOrInsert(key, value: 0)] = batch & Self.batchMask
        }
    }

    /// Completes the identities of a chunk's messages, which have arrived in this order.
    ///
    /// - Parameters:
    ///   - identities: The identities; those of messages with a fault mean nothing.
    ///   - ids: What is known of the messages' Ids; empty if none has one.
    ///   - isFaulty: Whether a message, by its position, has a fault.
    /// - Returns: Whether no message was in a request when the journal was opened, and none has an `Id`.
    mutating func arrived(
        _ identities: inout [MessageIdentity],
        _ ids: inout [MessageID],
        unless isFaulty: (Int) -> Bool,
    ) -> Bool {
        guard ids.isEmpty else {
            self.ids.prefetch(identities)
            for index in identities.indices where !isFaulty(index) {
                if ids[index].content == 0 {
                    arrived(&identities[index])
                } else {
                    arrived(&identities[index], &ids[index])
                }
            }
            return false
        }
        contents.prefetch(identities)
        var areNew = true
        for index in identities.indices where !isFaulty(index) {
            arrived(&identities[index])
            if identities[index].batch != RecordedBatches.none { areNew = false }
        }
        return areNew
    }

    private mutating func arrived(_ identity: inout MessageIdentity) {
        var place = contents.findOrInsert(identity.key, value: Self.batchMask)
        if contents[place] & Self.hasArrived != 0 {
            let number = occurrences[identity.key, default: 1] + 1
            occurrences[identity.key] = number
            identity.key = identity.key.ofOccurrence(number)
            place = contents.findOrInsert(identity.key, value: Self.batchMask)
        } else {
            contents[place] |= Self.hasArrived
        }
        let batch = contents[place] & Self.batchMask
        identity.batch = batch == Self.batchMask ? RecordedBatches.none : batch
    }

    private mutating func arrived(_ identity: inout MessageIdentity, _ id: inout MessageID) {
        id.place = place(ofID: identity.key, content: id.content)
        id.isReused = known[Int(id.place)].content != id.content
        identity.batch = known[Int(id.place)].batch
    }

    private mutating func place(ofID key: Digest96, content: UInt64) -> Place {
        let next = Place(known.count)
        let place = ids[ids.findOrInsert(key, value: next)]
        if place == next { known.append(Known(content: content, batch: RecordedBatches.none)) }
        return place
    }
}
