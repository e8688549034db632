// SPDX-License-Identifier: Apache-2.0

import Glibc
import MessagePipe
import Synchronization

/// A journal that is open and read, for one run to take.
package final class OpenJournal: Sendable {
    /// Finds the identities of messages, and what the journal says of them.
    let identifier: MessageIdentifier
    /// How many torn bytes were cut from its end.
    package let tornByteCount: Int
    private let content: Mutex<(file: JournalFile?, journal: Journal)?>

    /// Opens a journal, or begins it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - conditions: Who sends, and where to.
    /// - Throws: ``JournalError``.
    package convenience init(_ path: String, conditions: JournalConditions) throws(JournalError) {
        let (file, index, tornByteCount) = try JournalFile.open(
            path,
            on: SystemStorage(),
            conditions: conditions,
            salt: Self.salt(),
            time: (Clock.origin + Clock.now.nanoseconds) / 1_000_000,
        )
        self.init(file, index, tornByteCount: tornByteCount)
    }

    /// Reads a journal for a run that sends nothing, and so records nothing; another run may be using it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - conditions: Where the messages would go, and who would send them.
    /// - Returns: The journal, an empty one if there is none.
    /// - Throws: ``JournalError``.
    package static func reading(_ path: String, conditions: JournalConditions) throws(JournalError) -> OpenJournal {
        var index = JournalIndex()
        do throws(JournalError) {
            _ = try JournalFile.read(path, on: SystemStorage()) { index.apply($0) }
        } catch .cannotOpen(let error) where error.number == ENOENT {
            // It would be created, if there is where to.
            try JournalError.checkDirectory(of: path)
        }
        if let head = index.head {
            try conditions.check(head)
        } else {
            let head = JournalHead(salt: salt(), accessKeyID: nil, endpoint: conditions.endpoint)
            index.apply(JournalEntry(.head(head), time: 0, synced: 0))
        }
        index.finishReading()
        return OpenJournal(nil, index, tornByteCount: 0)
    }

    /// Random bytes for the head of a new journal.
    private static func salt() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<KeyedDigest.keyByteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    private init(_ file: JournalFile?, _ index: JournalIndex, tornByteCount: Int) {
        self.tornByteCount = tornByteCount
        identifier = MessageIdentifier(index)
        content = Mutex((file, Journal(index, origin: Clock.origin)))
    }

    /// Gives it away; nobody else may hold what it says, or every change would copy it.
    ///
    /// - Returns: What it says, and the file to record in; `nil` for a run that records nothing.
    func take() -> (file: JournalFile?, journal: Journal)? {
        content.withLock { content in
            defer { content = nil }
            return content
        }
    }
}
