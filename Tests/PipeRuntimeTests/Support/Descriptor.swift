// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A file descriptor that is closed once, at the latest with the test.
final class Descriptor: Sendable {
    let number: Int32
    private let isOpen = Mutex(true)

    init(_ number: Int32) {
        self.number = number
        // Nobody who writes to a closed pipe is to end the tests.
        _ = signal(SIGPIPE, SIG_IGN)
    }

    deinit { close() }

    /// Opens a file.
    convenience init(opening path: String, _ mode: Int32 = O_RDONLY) {
        self.init(unsafe open(path, mode))
    }

    /// An open file without a name that holds a text.
    convenience init(holding text: String) {
        let file = unsafe tmpfile()
        self.init(unsafe file.map { unsafe dup(fileno($0)) } ?? -1)
        if let file = unsafe file { unsafe fclose(file) }
        write(text)
        lseek(number, 0, SEEK_SET)
    }

    func close() {
        isOpen.withLock { isOpen in
            if isOpen { _ = Glibc.close(number) }
            isOpen = false
        }
    }

    /// Writes a whole text.
    ///
    /// - Returns: Whether it could.
    @discardableResult
    func write(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }

    /// A copy for somebody who closes it.
    func copy() -> Int32 { number < 0 ? number : fcntl(number, F_DUPFD_CLOEXEC, 0) }

    /// Reads until the end, or until so many bytes have come.
    func read(upTo limit: Int = .max) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while all.count < limit {
            let wanted = min(buffer.count, limit - all.count)
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(number, $0.baseAddress, wanted) }
            guard count > 0 else { break }
            all.append(contentsOf: buffer[..<count])
        }
        return all
    }

    /// Reads one line, without its line break.
    func readLine() -> String {
        var line: [UInt8] = []
        while let byte = read(upTo: 1).first, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }
}
