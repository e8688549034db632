// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Glibc

/// A file that cannot be read.
struct UnreadableFile: Error, CustomStringConvertible {
    let path: String
    /// The system's error number.
    let number: Int32

    /// Whether there is none.
    var isAbsent: Bool { number == ENOENT || number == ENOTDIR }

    var description: String {
        // No file that is read so has as much as the limit.
        let reason = number == EFBIG ? "it is larger than a megabyte" : unsafe String(cString: strerror(number))
        return "\(path) cannot be read: \(reason)"
    }
}

/// The content of a small file, a megabyte at most.
func readFile(_ path: String) throws(UnreadableFile) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw UnreadableFile(path: path, number: errno) }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while content.count <= 1 << 20 {
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw UnreadableFile(path: path, number: errno) }
        guard count > 0 else { return content }
        content.append(contentsOf: buffer[..<count])
    }
    throw UnreadableFile(path: path, number: EFBIG)
}

/// Reads a file that may hold credentials.
let readCredentialsFile: CredentialsFile.Reader = { path throws(CredentialsUnavailable) in
    do throws(UnreadableFile) {
        return try readFile(path)
    } catch {
        if error.isAbsent { return nil }
        throw CredentialsUnavailable(reason: "\(error)")
    }
}
