// SPDX-License-Identifier: Apache-2.0

/// The hash of what the messages of one request have in common.
///
/// A multiply-and-fold over eight bytes a step. It need not withstand an adversary: keys with equal hashes are compared whole,
/// and a flood of them costs time only.
struct BatchKeyHash {
    private(set) var value: UInt64

    init(traits: Message.Traits) {
        value = 0x9E37_79B9_7F4A_7C15 ^ UInt64(traits.intersection(.shared).rawValue)
    }

    /// Adds a text and its length.
    mutating func combine(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
        mix(UInt64(range.count))
        var index = range.lowerBound
        while range.upperBound &- index >= 8 {
            mix(bytes.word(at: index))
            index &+= 8
        }
        if index < range.upperBound { mix(bytes.partialWord(at: index, byteCount: range.upperBound &- index)) }
    }

    @inline(__always)
    private mutating func mix(_ word: UInt64) {
        let product = (value ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        value = product.high ^ product.low
    }
}

/// What the messages of one request have in common.
package struct BatchKey: Sendable {
    /// The template code's text, and behind it the OutId's.
    private var texts: [UInt8] = []
    /// The same if it fits: compared for every message, it is then at hand with the batch itself.
    private var inPlace = InlineArray<32, UInt8>(repeating: 0)
    private var count = 0
    private var templateCodeCount = 0
    /// Whether the messages have parameters and extension codes, and where they go.
    package private(set) var traits: Message.Traits = []
    private(set) var hash: UInt64 = 0

    /// Creates a key that fits nothing yet; ``assign(_:from:)`` gives it its value.
    init() {}

    /// Takes the key of a message, reusing the storage of the last one.
    mutating func assign(_ message: Message, from chunk: borrowing Chunk) {
        texts.removeAll(keepingCapacity: true)
        chunk.append(message.templateCode, to: &texts)
        templateCodeCount = texts.count
        chunk.append(message.outID, to: &texts)
        count = texts.count
        if count <= inPlace.count {
            for index in 0..<count { inPlace[index] = texts[index] }
        }
        traits = message.traits.intersection(.shared)
        hash = message.batchKeyHash
    }

    /// The template code's text.
    package var templateCode: ArraySlice<UInt8> { texts[..<templateCodeCount] }

    /// The text of the messages' own OutId; empty if they brought none.
    package var outID: ArraySlice<UInt8> { texts[templateCodeCount...] }

    /// Stands for the two texts, whatever else requests have in common.
    var textsHash: UInt64 {
        var hash = BatchKeyHash(traits: [])
        hash.combine(texts.span, 0..<templateCodeCount)
        hash.combine(texts.span, templateCodeCount..<count)
        return hash.value
    }

    /// Whether these are the texts of the key.
    func has(templateCode: borrowing Span<UInt8>) -> Bool {
        equals(templateCode, 0..<templateCodeCount)
    }

    /// Whether this is the OutId of the key, or both are none.
    func has(outID: borrowing Span<UInt8>) -> Bool {
        equals(outID, templateCodeCount..<count)
    }

    @inline(__always)
    private func equals(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard text.count == range.count else { return false }
        return count <= inPlace.count
            ? text.equals(inPlace.span.extracting(range), at: 0) : text.equals(texts.span.extracting(range), at: 0)
    }
}
