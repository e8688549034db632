// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Finds the identities of messages: keyed digests, from which no number can be told without the key.
///
/// Whoever parses uses it, so that the engine need not search among a million identities. Copies share what they know.
package struct MessageIdentifier: Sendable {
    private final class Known: Sendable {
        let table: Mutex<IdentityTable>

        init(_ table: IdentityTable) {
            self.table = Mutex(table)
        }
    }

    private var digest: IdentityDigest
    private let known: Known

    /// Creates the identifier of a journal's messages.
    ///
    /// - Parameter index: What the journal says, its head at least.
    package init(_ index: JournalIndex) {
        guard let head = index.head else { preconditionFailure("a journal without a head has no digests") }
        digest = IdentityDigest(KeyedDigest(key: head.salt))
        known = Known(index.identities)
    }

    /// Finds the identities of a chunk's messages; those of messages with a fault mean nothing.
    ///
    /// - Complexity: O(*n*) in the bytes of the messages.
    package mutating func identify(_ chunk: inout Chunk) {
        var identities = chunk.identities
        var ids: [MessageID] = []
        chunk.identities = []
        let none = MessageIdentity(key: Digest96(low: 0, high: 0))
        identities.append(contentsOf: repeatElement(none, count: chunk.messages.count))
        digestContents(of: chunk, into: &identities)
        if chunk.messages.contains(where: { !$0.id.isEmpty }) {
            ids = Array(repeating: MessageID(), count: chunk.messages.count)
            digestIDs(of: chunk, into: &ids, &identities)
        }
        chunk.areNew = known.table.withLock { table in
            table.arrived(&identities, &ids) { chunk.messages[$0].fault != nil }
        }
        chunk.identities = identities
        chunk.ids = ids
    }

    private mutating func digestContents(of chunk: borrowing Chunk, into identities: inout [MessageIdentity]) {
        for index in chunk.messages.indices where chunk.messages[index].fault == nil {
            identities[index].key = digest.of(contentOf: chunk.messages[index], in: chunk)
        }
    }

    private mutating func digestIDs(
        of chunk: borrowing Chunk,
        into ids: inout [MessageID],
        _ identities: inout [MessageIdentity],
    ) {
        for index in chunk.messages.indices where chunk.messages[index].fault == nil {
            guard !chunk.messages[index].id.isEmpty else { continue }
            ids[index].content = max(identities[index].key.low & MessageID.contentMask, 1)
            identities[index].key = digest.of(id: chunk.messages[index].id, in: chunk)
        }
    }
}
