// SPDX-License-Identifier: Apache-2.0

/// A text that must never be shown.
///
/// However a secret or a value that holds one is printed, interpolated, dumped or reflected, a placeholder comes out.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for signing and for a header that must carry it.
    package let revealed: String

    /// Wraps a text.
    package init(_ text: String) {
        revealed = text
    }

    /// The UTF-8 bytes of the text itself, for a key.
    package var revealedBytes: [UInt8] { Array(revealed.utf8) }

    /// A placeholder.
    package var description: String { "<redacted>" }

    /// A placeholder.
    package var debugDescription: String { description }

    /// A mirror without children.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension Secret: Equatable {
    /// Whether two secrets are the same, in a time that tells nothing but their lengths.
    package static func == (first: Secret, second: Secret) -> Bool {
        let first = first.revealedBytes
        let second = second.revealedBytes
        guard first.count == second.count else { return false }
        return zip(first, second).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
