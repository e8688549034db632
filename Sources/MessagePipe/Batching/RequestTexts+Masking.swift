// SPDX-License-Identifier: Apache-2.0

extension RequestTexts {
    /// Whatever is shorter may be anything, and tells nobody apart.
    private static let leastValueByteCount = 4
    /// The digits that two numbers have in common at their end if they are one, with or without country code and prefix.
    private static let leastCommonDigits = 7

    /// A text of the gateway without the phone numbers and template values of the request that it repeats.
    ///
    /// It goes into the journal, into lines without their messages, and into those of other messages of the request. It may
    /// have been cut: the beginning of a value at its end is masked too.
    ///
    /// - Parameter text: What the gateway says of the request.
    /// - Returns: The text with `…` in each of their places.
    /// - Complexity: O(*n*) in the bytes of the messages, and for those values whose first bytes the text has, of the text.
    func masked(_ text: String) -> String {
        guard text.utf8.count >= Self.leastValueByteCount else { return text }
        let bytes = Array(text.utf8)
        var isMasked = [Bool](repeating: false, count: bytes.count)
        maskNumbers(bytes, &isMasked)
        maskValues(bytes, &isMasked)
        guard isMasked.contains(true) else { return text }
        var masked: [UInt8] = []
        for index in bytes.indices {
            if !isMasked[index] {
                masked.append(bytes[index])
            } else if index == 0 || !isMasked[index - 1] {
                masked.append(contentsOf: "…".utf8)
            }
        }
        return String(decoding: masked, as: UTF8.self)
    }

    private func maskNumbers(_ text: [UInt8], _ isMasked: inout [Bool]) {
        let runs = text.indices.split { !Self.isDigit(text[$0]) }.filter { $0.count >= Self.leastCommonDigits }
        for run in runs {
            let tail = run.suffix(Self.leastCommonDigits).map { text[$0] }
            let isOfMessage = elements.indices.contains { index in
                let number = bytes.extracting(elements[index].phoneNumber)
                guard number.count >= tail.count else { return false }
                return zip(tail, number.indices.suffix(tail.count)).allSatisfy { $0 == number[$1] }
            }
            if isOfMessage { for index in run { isMasked[index] = true } }
        }
        // What is short, has digits behind it, or was cut: without prefix, as all spellings of a mainland number have it.
        for index in elements.indices {
            guard let number = PhoneNumber(bytes, elements[index].phoneNumber) else { continue }
            mask(Array(String(number.key).utf8).span, text, &isMasked)
        }
    }

    private func maskValues(_ text: [UInt8], _ isMasked: inout [Bool]) {
        var members: [JSONMember] = []
        for index in elements.indices where !elements[index].templateParameters.isEmpty {
            // The parser has accepted the object, so scanning it again cannot fail.
            _ = try? JSONScanner.scanObject(bytes, in: elements[index].templateParameters, into: &members)
            for member in members {
                let inside = bytes.extracting((member.value.lowerBound + 1)..<(member.value.upperBound - 1))
                if member.hasEscapes {
                    mask(JSONText.decodeString(bytes, member.value).span, text, &isMasked)
                }
                mask(inside, text, &isMasked)
            }
        }
    }

    /// Masks a value wherever the text has it, or at its end begins with it.
    private func mask(_ value: borrowing Span<UInt8>, _ text: [UInt8], _ isMasked: inout [Bool]) {
        guard value.count >= Self.leastValueByteCount else { return }
        for start in text.startIndex...(text.endIndex - Self.leastValueByteCount) where text[start] == value[0] {
            var count = 1
            while count < value.count, start + count < text.count, text[start + count] == value[count] { count += 1 }
            guard count == value.count || start + count == text.count, count >= Self.leastValueByteCount else {
                continue
            }
            for index in start..<(start + count) { isMasked[index] = true }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
