// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

/// Why a journal cannot be used.
package enum JournalError: Error, Equatable {
    /// It cannot be opened or created.
    case cannotOpen(StorageError)
    /// Another process holds it; 0 where it cannot be told which.
    case inUse(by: Int32)
    /// The file is something else.
    case notAJournal
    /// It was written by another version of the format.
    case otherVersion(Int)
    /// It belongs to another access key.
    case otherAccessKey
    /// Its messages went to another endpoint.
    case otherEndpoint(String)
    /// A record was changed after it had been written.
    case damaged(JournalDamage)
    /// Reading, writing or syncing failed.
    case failed(StorageError)

    /// Checks that there is a directory for a journal.
    static func checkDirectory(of path: String) throws(JournalError) {
        try naming(cannotOpen) { () throws(StorageError) in try SystemStorage().syncDirectory(of: path) }
    }

    /// Does what may fail in the file system.
    fileprivate static func naming<Result>(
        _ error: (StorageError) -> JournalError,
        _ body: () throws(StorageError) -> Result,
    ) throws(JournalError) -> Result {
        do throws(StorageError) {
            return try body()
        } catch let failure {
            throw error(failure)
        }
    }
}

/// Under which conditions a run uses a journal.
package struct JournalConditions: Equatable, Sendable {
    /// Who sends; `nil` where the access key is a temporary one, which another run will not have.
    package var accessKeyID: String?
    /// Where the messages go.
    package var endpoint: String

    /// Creates conditions from their parts.
    package init(accessKeyID: String?, endpoint: String) {
        self.accessKeyID = accessKeyID
        self.endpoint = endpoint
    }

    func check(_ head: JournalHead) throws(JournalError) {
        guard head.endpoint == endpoint else { throw .otherEndpoint(head.endpoint) }
        if let known = head.accessKey, let accessKeyID {
            let own = JournalHead.digest(ofAccessKeyID: accessKeyID, salt: head.salt)
            guard own == known else { throw .otherAccessKey }
        }
    }
}

/// A journal that is locked and open for appending.
///
/// After a write or sync that failed it takes nothing more: what the system kept of it is unknown.
package struct JournalFile: Sendable {
    private static let readSize = 1 << 20

    private let file: any JournalStorageFile
    private let path: String
    private let storage: any JournalStorage
    private var failure: StorageError?
    /// Reused for the text of every group.
    private var text: [UInt8] = []
    /// The length of what was written, in bytes.
    package private(set) var byteCount = 0

    private init(_ file: any JournalStorageFile, path: String, storage: any JournalStorage) {
        self.file = file
        self.path = path
        self.storage = storage
    }

    /// Opens and locks a journal, reads it, and cuts its torn end.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - storage: The file system.
    ///   - creates: Whether it is made if there is none.
    ///   - apply: Takes the records.
    /// - Returns: The journal, and how many torn bytes were at its end; one that is new or has no whole head is empty.
    /// - Throws: ``JournalError``.
    package static func open(
        _ path: String,
        on storage: any JournalStorage,
        creates: Bool = true,
        apply: (JournalEntry) -> Void,
    ) throws(JournalError) -> (file: JournalFile, tornByteCount: Int) {
        let file = try openLocked(path, storage, creates: creates)
        // A link stays a link when the journal is rewritten, and its own directory says nothing of the file.
        let resolved = try JournalError.naming(JournalError.cannotOpen) { () throws(StorageError) in
            try storage.resolved(path: path)
        }
        var journal = JournalFile(file, path: resolved, storage: storage)
        let end = try journal.read(apply)
        if end.tornByteCount > 0 {
            try JournalError.naming(JournalError.failed) { () throws(StorageError) in
                try journal.file.truncate(to: end.wholeByteCount)
                try journal.file.sync()
            }
        }
        journal.byteCount = end.wholeByteCount
        return (journal, end.tornByteCount)
    }

    /// Reads a journal that may be in use, without changing it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - storage: The file system.
    ///   - apply: Takes the records.
    /// - Returns: How many torn bytes are at its end, or are being written.
    /// - Throws: ``JournalError``.
    package static func read(
        _ path: String,
        on storage: any JournalStorage,
        apply: (JournalEntry) -> Void,
    ) throws(JournalError) -> Int {
        let file = try JournalError.naming(JournalError.cannotOpen) { () throws(StorageError) in
            try storage.openForReading(path: path)
        }
        return try JournalFile(file, path: path, storage: storage).read(apply).tornByteCount
    }

    /// Opens a journal for a run: checks that it is one for the run's conditions, and begins it if it is new.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - storage: The file system.
    ///   - conditions: Who sends, and where to.
    ///   - salt: ``KeyedDigest/keyByteCount`` random bytes for a new journal.
    ///   - time: Now, in milliseconds since 1970.
    /// - Returns: The journal, what it says, and how many torn bytes were cut from its end.
    /// - Throws: ``JournalError``.
    package static func open(
        _ path: String,
        on storage: any JournalStorage,
        conditions: JournalConditions,
        salt: [UInt8],
        time: Int64,
    ) throws(JournalError) -> (file: JournalFile, index: JournalIndex, tornByteCount: Int) {
        var index = JournalIndex()
        var (file, tornByteCount) = try open(path, on: storage) { index.apply($0) }
        if let head = index.head {
            try conditions.check(head)
            // The run before may have been killed between a write and its sync: what it left is about to be relied on.
            try JournalError.naming(JournalError.failed) { () throws(StorageError) in
                try file.file.sync()
                try storage.syncDirectory(of: file.path)
            }
        } else {
            let head = JournalHead(salt: salt, accessKeyID: conditions.accessKeyID, endpoint: conditions.endpoint)
            let entry = JournalEntry(.head(head), time: time, synced: 0)
            try JournalError.naming(JournalError.failed) { () throws(StorageError) in try file.begin(with: entry) }
            index.apply(entry)
        }
        index.finishReading()
        return (file, index, tornByteCount)
    }

    /// Appends records and sees that they are on stable storage.
    package mutating func append(_ group: JournalGroup) throws(StorageError) {
        text.removeAll(keepingCapacity: true)
        group.append(to: &text, synced: byteCount)
        try append(text)
    }

    private mutating func append(_ bytes: [UInt8]) throws(StorageError) {
        if let failure { throw failure }
        do throws(StorageError) {
            var written = 0
            while written < bytes.count { written += try file.append(bytes[written...]) }
            try file.sync()
            byteCount += bytes.count
        } catch {
            failure = error
            // None of the group has happened: its requests have not left. Where this fails, too, the next run looks them up.
            try? file.truncate(to: byteCount)
            throw error
        }
    }

    /// Puts a new content in the place of the old, at once and as a whole.
    ///
    /// - Parameters:
    ///   - content: All records from the head on.
    ///   - token: Makes the name of the file that is written meanwhile one that nobody else has.
    /// - Throws: ``JournalError/failed(_:)``; the old content stands then.
    package func replace(with content: [UInt8], token: UInt64) throws(JournalError) {
        let newPath = "\(path).new-\(String(token, radix: 16))"
        try JournalError.naming(JournalError.failed) { () throws(StorageError) in
            let file = try storage.create(path: newPath, like: path)
            var replacement = JournalFile(file, path: newPath, storage: storage)
            do throws(StorageError) {
                try replacement.append(content)
                try storage.rename(from: newPath, to: path)
            } catch {
                try? storage.remove(path: newPath)
                throw error
            }
            try storage.syncDirectory(of: path)
        }
    }

    private mutating func begin(with head: JournalEntry) throws(StorageError) {
        var text: [UInt8] = []
        head.append(to: &text)
        try append(text)
        try storage.syncDirectory(of: path)
    }

    private static func openLocked(
        _ path: String,
        _ storage: any JournalStorage,
        creates: Bool,
    ) throws(JournalError) -> any JournalStorageFile {
        while true {
            let (file, holder, isCurrent) = try JournalError.naming(JournalError.cannotOpen) {
                () throws(StorageError) in
                let file = try storage.open(path: path, creates: creates)
                return (file, try file.lock(), try file.isFile(at: path))
            }
            if let holder { throw .inUse(by: holder) }
            // Who held it before may have put a new file in its place between our opening and locking it.
            if isCurrent { return file }
        }
    }

    private func read(_ apply: (JournalEntry) -> Void) throws(JournalError) -> JournalReader.End {
        var reader = JournalReader()
        var version = JournalHead.currentVersion
        var buffer = [UInt8](repeating: 0, count: Self.readSize)
        var position = 0
        while true {
            let count = try JournalError.naming(JournalError.failed) { () throws(StorageError) in
                try file.read(into: &buffer, at: position)
            }
            guard count > 0 else { break }
            reader.read(buffer.span.extracting(..<count)) { entry in
                if case .head(let head) = entry.record { version = head.version }
                apply(entry)
            }
            // What another version has written looks damaged to this one.
            guard version == JournalHead.currentVersion else { throw .otherVersion(version) }
            position += count
        }
        do throws(JournalDamage) {
            return try reader.finish()
        } catch {
            throw error.isForeign ? .notAJournal : .damaged(error)
        }
    }
}
