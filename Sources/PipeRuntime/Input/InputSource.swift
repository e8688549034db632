// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where the lines come from.
package enum InputSource: Equatable, Sendable {
    /// Standard input.
    case standardInput
    /// A file, by its path.
    case file(String)

    /// Opens inputs, under their names.
    ///
    /// - Throws: ``InputError`` for the first that cannot be opened.
    package static func open(_ sources: [InputSource]) throws(InputError) -> [(name: String, descriptor: Int32)] {
        var opened: [(name: String, descriptor: Int32)] = []
        for source in sources {
            switch source {
            case .standardInput: opened.append(("standard input", STDIN_FILENO))
            case .file(let path):
                let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { throw InputError(name: path, number: errno) }
                var status = stat()
                if unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                    throw InputError(name: path, number: EISDIR)
                }
                opened.append((path, descriptor))
            }
        }
        return opened
    }
}

/// An input that cannot be opened or read.
package struct InputError: Error, Equatable, CustomStringConvertible {
    /// The input's name.
    package let name: String
    /// The system's error number.
    package let number: Int32

    package var description: String { "cannot read \(name): \(systemErrorText(number))" }
}
