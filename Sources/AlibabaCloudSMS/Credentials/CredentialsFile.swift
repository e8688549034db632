// SPDX-License-Identifier: Apache-2.0

/// A file that holds credentials, as a source sees it: a path and what is there.
package struct CredentialsFile: Sendable {
    /// The path, for a message.
    package let path: String
    /// The content.
    package let content: [UInt8]

    /// Creates a file.
    package init(path: String, content: [UInt8]) {
        self.path = path
        self.content = content
    }

    /// Reads the file at a path.
    ///
    /// - Returns: Its content; `nil` where there is none.
    /// - Throws: ``CredentialsUnavailable`` with the path and the reason if there is one that cannot be read.
    package typealias Reader = @Sendable (_ path: String) throws(CredentialsUnavailable) -> [UInt8]?

    /// The first of some files that exists.
    static func first(of paths: [String], _ read: Reader) throws(CredentialsUnavailable) -> CredentialsFile {
        for path in paths {
            if let content = try read(path) { return CredentialsFile(path: path, content: content) }
        }
        guard !paths.isEmpty else { throw CredentialsUnavailable(reason: "HOME is not set") }
        throw CredentialsUnavailable(reason: "no file \(paths.joined(separator: " or "))")
    }
}
