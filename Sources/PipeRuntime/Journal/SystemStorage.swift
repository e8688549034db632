// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The file system of the machine.
package struct SystemStorage: JournalStorage {
    /// Creates access to the file system.
    package init() {}

    package func open(path: String, creates: Bool) throws(StorageError) -> any JournalStorageFile {
        try SystemFile(path, flags: O_RDWR | O_APPEND | O_CLOEXEC | (creates ? O_CREAT : 0))
    }

    package func openForReading(path: String) throws(StorageError) -> any JournalStorageFile {
        try SystemFile(path, flags: O_RDONLY | O_CLOEXEC)
    }

    package func resolved(path: String) throws(StorageError) -> String {
        guard let resolved = unsafe realpath(path, nil) else { throw StorageError("realpath", errno) }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    package func create(path: String, like original: String) throws(StorageError) -> any JournalStorageFile {
        let file = try SystemFile(path, flags: O_RDWR | O_APPEND | O_CLOEXEC | O_CREAT | O_EXCL)
        file.becomeLike(original)
        return file
    }

    package func remove(path: String) throws(StorageError) {
        guard unsafe unlink(path) == 0 else { throw StorageError("unlink", errno) }
    }

    package func rename(from path: String, to newPath: String) throws(StorageError) {
        guard unsafe Glibc.rename(path, newPath) == 0 else { throw StorageError("rename", errno) }
    }

    package func syncDirectory(of path: String) throws(StorageError) {
        let end = path.lastIndex(of: "/")
        let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError("open of the directory", errno) }
        defer { close(descriptor) }
        while fsync(descriptor) != 0 {
            guard errno == EINTR else { throw StorageError("sync of the directory", errno) }
        }
    }
}

/// A file of the machine.
private final class SystemFile: JournalStorageFile {
    private let descriptor: Int32

    init(_ path: String, flags: Int32) throws(StorageError) {
        // Nobody else needs to read it: whoever has the salt can try out numbers. A pipe must not be waited for.
        descriptor = unsafe Glibc.open(path, flags | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw StorageError("open", errno) }
        var status = stat()
        // A device may have no end.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError("open as a regular file", EINVAL)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Takes over a file's owner and rights; whoever may not give them keeps the own, as the owner alone can read it then.
    func becomeLike(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, fchown(descriptor, status.st_uid, status.st_gid) == 0 else { return }
        _ = fchmod(descriptor, status.st_mode & 0o777)
    }

    func lock() throws(StorageError) -> Int32? {
        // Of the kinds of lock that end with their process, this one names the holder.
        while true {
            var wanted = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
            if unsafe fcntl(descriptor, F_SETLK, &wanted) == 0 { return nil }
            guard errno == EACCES || errno == EAGAIN else { throw StorageError("lock", errno) }
            var holder = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
            guard unsafe fcntl(descriptor, F_GETLK, &holder) == 0 else { throw StorageError("lock", errno) }
            // The holder may have ended meanwhile.
            if holder.l_type != Int16(F_UNLCK) { return max(holder.l_pid, 0) }
        }
    }

    func isFile(at path: String) throws(StorageError) -> Bool {
        FileIdentity(of: descriptor) == FileIdentity(at: path)
    }

    func read(into buffer: inout [UInt8], at position: Int) throws(StorageError) -> Int {
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(position))
            }
            if count >= 0 { return count }
            guard errno == EINTR else { throw StorageError("read", errno) }
        }
    }

    func append(_ bytes: ArraySlice<UInt8>) throws(StorageError) -> Int {
        while true {
            let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 { return count }
            guard errno == EINTR else { throw StorageError("write", errno) }
        }
    }

    func sync() throws(StorageError) {
        while fdatasync(descriptor) != 0 {
            guard errno == EINTR else { throw StorageError("sync", errno) }
        }
    }

    func truncate(to byteCount: Int) throws(StorageError) {
        while ftruncate(descriptor, off_t(byteCount)) != 0 {
            guard errno == EINTR else { throw StorageError("truncate", errno) }
        }
    }
}
