// SPDX-License-Identifier: Apache-2.0

extension RequestTexts {
    /// Whatever is shorter may be anything, and tells nobody apart.
    private static let leastMaskedByteCount = 4

    /// A text of the gateway without the phone numbers and template values of the request that it repeats.
    ///
    /// It goes into the journal, into lines without their messages, and into those of other messages of the request.
    ///
    /// - Parameter text: What the gateway says of the request.
    /// - Returns: The text with `…` in each of their places.
    /// - Complexity: O(*n* · *m*) in the bytes of the text and the messages.
    func masked(_ text: String) -> String {
        guard text.utf8.count >= Self.leastMaskedByteCount else { return text }
        var text = Array(text.utf8)
        // The longest first: a value may be a part of another.
        for secret in secrets(upTo: text.count).sorted(by: { $0.count > $1.count }) { Self.mask(secret, in: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The numbers and values that are long enough, and not longer than a text, as UTF-8.
    private func secrets(upTo byteCount: Int) -> Set<[UInt8]> {
        var secrets: Set<[UInt8]> = []
        var members: [JSONMember] = []
        for index in elements.indices {
            let number = bytes.extracting(elements[index].phoneNumber)
            // Without `+` and `0086`, which the gateway may leave out.
            secrets.insert(
                number.indices.suffix(PhoneNumber.mainlandDigits).map { number[$0] }.filter { $0 != UInt8(ascii: "+") }
            )
            guard !elements[index].templateParameters.isEmpty else { continue }
            // The parser has accepted the object, so scanning it again cannot fail.
            _ = try? JSONScanner.scanObject(bytes, in: elements[index].templateParameters, into: &members)
            // An escape takes six bytes where the text has one; what is longer is not even looked at.
            for member in members where member.value.count <= 6 * byteCount + 2 {
                secrets.insert(JSONText.decodeString(bytes, member.value))
            }
        }
        return secrets.filter { (Self.leastMaskedByteCount...byteCount).contains($0.count) }
    }

    private static func mask(_ secret: [UInt8], in text: inout [UInt8]) {
        var index = 0
        while index + secret.count <= text.count {
            if text[index] == secret[0], text[index..<(index + secret.count)].elementsEqual(secret) {
                text.replaceSubrange(index..<(index + secret.count), with: "…".utf8)
                index += "…".utf8.count
            } else {
                index += 1
            }
        }
    }
}
