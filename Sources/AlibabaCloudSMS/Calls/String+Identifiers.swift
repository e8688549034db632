// SPDX-License-Identifier: Apache-2.0

// What else stands in the place of a code or an id is not repeated: it could be a secret or a value of a message, or move the
// cursor of the terminal that a diagnostic goes to.

extension String {
    /// Whether this can be a code of the platform: up to 100 letters, digits, full stops, hyphens and underscores, such as
    /// `EntityNotExist.Role`; without seven digits in a row, which a phone number has.
    var isCode: Bool {
        guard !isEmpty, utf8.count <= 100 else { return false }
        var digitCount = 0
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digitCount += 1
                if digitCount == 7 { return false }
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                digitCount = 0
            default: return false
            }
        }
        return true
    }

    /// The most bytes of an id; the longest that are known have some dozens.
    static let maximumIdentifierBytes = 512

    /// Whether this can be an id that the platform gives: printable ASCII without blanks.
    var isIdentifier: Bool {
        !isEmpty && utf8.count <= Self.maximumIdentifierBytes && utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
