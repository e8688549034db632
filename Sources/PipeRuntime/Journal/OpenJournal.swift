// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Synchronization

/// A journal that is open and read, for one run to take.
package final class OpenJournal: Sendable {
    /// Finds the identities of messages, and what the journal says of them.
    let identifier: MessageIdentifier
    /// How many torn bytes were cut from its end.
    package let tornByteCount: Int
    private let content: Mutex<(file: JournalFile, journal: Journal)?>

    /// Opens a journal, or begins it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - conditions: Who sends, and where to.
    /// - Throws: ``JournalError``.
    package init(_ path: String, conditions: JournalConditions) throws(JournalError) {
        var generator = SystemRandomNumberGenerator()
        let random = (0..<KeyedDigest.keyByteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let origin = Clock.origin
        let (file, index, tornByteCount) = try JournalFile.open(
            path,
            on: SystemStorage(),
            conditions: conditions,
            salt: random,
            time: (origin + Clock.now.nanoseconds) / 1_000_000,
        )
        self.tornByteCount = tornByteCount
        identifier = MessageIdentifier(index)
        content = Mutex((file, Journal(index, origin: origin)))
    }

    /// Gives it away; nobody else may hold what it says, or every change would copy it.
    func take() -> (file: JournalFile, journal: Journal)? {
        content.withLock { content in
            defer { content = nil }
            return content
        }
    }
}
