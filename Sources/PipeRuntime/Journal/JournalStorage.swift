// SPDX-License-Identifier: Apache-2.0

/// A system call of the journal that failed.
package struct StorageError: Error, Equatable, CustomStringConvertible {
    /// What was done, such as `open` or `sync`.
    package let call: String
    /// The system's error number.
    package let number: Int32

    /// Creates an error from its parts.
    package init(_ call: String, _ number: Int32) {
        self.call = call
        self.number = number
    }

    package var description: String { "\(call): \(systemErrorText(number))" }
}

/// The file system as the journal needs it: one system call a function, so that each can be made to fail in tests.
package protocol JournalStorage: Sendable {
    /// Opens the file for reading and appending, and creates it if there is none and that is wanted.
    func open(path: String, creates: Bool) throws(StorageError) -> any JournalStorageFile

    /// Opens a file that is only read.
    func openForReading(path: String) throws(StorageError) -> any JournalStorageFile

    /// Where a file really is, symbolic links followed.
    func resolved(path: String) throws(StorageError) -> String

    /// Creates an empty file for appending, where there must be none; it has the owner and the rights of another as far as may be.
    func create(path: String, like original: String) throws(StorageError) -> any JournalStorageFile

    /// Removes a file.
    func remove(path: String) throws(StorageError)

    /// Puts a file in the place of another.
    func rename(from path: String, to newPath: String) throws(StorageError)

    /// Sees that the entry of a file in its directory is on stable storage.
    func syncDirectory(of path: String) throws(StorageError)
}

/// An open file of the journal; closed when nobody refers to it.
package protocol JournalStorageFile: Sendable {
    /// Locks the file for this process until it ends or closes the file.
    ///
    /// - Returns: The process that holds the lock instead, 0 where that cannot be told; `nil` if this one has it now.
    func lock() throws(StorageError) -> Int32?

    /// Whether the file is still the one at a path.
    func isFile(at path: String) throws(StorageError) -> Bool

    /// Reads from a position on.
    ///
    /// - Returns: The number of bytes that were read; 0 at the end.
    func read(into buffer: inout [UInt8], at position: Int) throws(StorageError) -> Int

    /// Appends bytes; fewer than given may be taken.
    ///
    /// - Returns: The number of bytes that were taken.
    func append(_ bytes: ArraySlice<UInt8>) throws(StorageError) -> Int

    /// Sees that the file's content is on stable storage.
    func sync() throws(StorageError)

    /// Cuts the file.
    func truncate(to byteCount: Int) throws(StorageError)
}
