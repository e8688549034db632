// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import PipeRuntime

/// Writes a text and a line break to standard output at once.
///
/// Not `print`, which keeps the text back and does not tell that it could not be written.
///
/// - Throws: The exit status, where nobody reads or the text cannot be written.
func writeLine(_ text: String) throws(ExitCode) {
    let bytes = Array("\(text)\n".utf8)
    var written = 0
    while written < bytes.count {
        let count = unsafe bytes[written...].withUnsafeBytes {
            unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count)
        }
        if count >= 0 {
            written += count
        } else if errno == EPIPE {
            throw ExitCode(128 + SIGPIPE)
        } else if errno == EAGAIN {
            // Whoever has the other end has made the pipe one that does not wait.
            var polled = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
            _ = unsafe poll(&polled, 1, -1)
        } else if errno != EINTR {
            throw end(.ioError, "cannot write the output: \(systemErrorText(errno)).")
        }
    }
}
