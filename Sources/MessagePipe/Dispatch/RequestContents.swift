// SPDX-License-Identifier: Apache-2.0

/// Where the texts of a request's messages stand, collected in one visit to each message.
///
/// The messages lie anywhere in memory; fetching them one after the other with nothing in between lets the processor wait for
/// several at once. The storage is used again for the next request.
package struct RequestContents: Sendable {
    /// Where one message's texts stand in its chunk.
    package struct Element: Sendable {
        /// The number's text.
        package let phoneNumber: ByteRange
        /// The sign name as a JSON string.
        package let signName: ByteRange
        /// The template parameters as a JSON object; empty where there are none.
        package let templateParameters: ByteRange
        /// The extension code as a JSON string; empty where there is none.
        package let extensionCode: ByteRange

        fileprivate init(_ message: borrowing Message) {
            phoneNumber = message.phoneNumber
            signName = message.signName
            templateParameters = message.templateParameters
            extensionCode = message.extensionCode
        }
    }

    /// Neighbouring messages whose bytes one chunk holds.
    package struct Run: Sendable {
        /// The messages, by their places in ``RequestContents/elements``.
        package let elements: Range<Int>
        fileprivate let chunk: UInt32
    }

    /// The messages in the request's order.
    package fileprivate(set) var elements: [Element] = []
    /// All messages, in order: a few runs, as messages that are batched together have arrived together.
    package fileprivate(set) var runs: [Run] = []

    /// Creates contents without messages.
    package init() {}
}

extension Engine {
    /// Collects where the texts of a request's messages stand.
    ///
    /// - Parameters:
    ///   - id: The request.
    ///   - contents: Emptied, then filled.
    package func gather(_ id: RequestID, into contents: inout RequestContents) {
        contents.elements.removeAll(keepingCapacity: true)
        contents.runs.removeAll(keepingCapacity: true)
        let items = batches[id.batch].items
        var differences: UInt8 = 0
        var start = 0
        while start < items.count {
            let number = items[start].slot.chunk
            var end = start
            messages.withChunk(number) { chunk in
                let messages = chunk.messages.span
                while end < items.count, items[end].slot.chunk == number {
                    contents.elements.append(RequestContents.Element(messages[Int(items[end].slot.place)]))
                    end += 1
                }
                // Looked at for all messages before one is read: as no look waits for another, the processor fetches many
                // lines at once. Fetched one by one while they were encoded, they cost a tenth of all CPU.
                for index in start..<end {
                    let element = contents.elements[index]
                    differences |= chunk.differences(of: element.signName, from: "\"", to: "\"")
                    differences |= chunk.differences(of: element.templateParameters, from: "{", to: "}")
                    differences |= chunk.differences(of: element.extensionCode, from: "\"", to: "\"")
                }
            }
            contents.runs.append(RequestContents.Run(elements: start..<end, chunk: number))
            start = end
        }
        precondition(differences == 0, "a text that is no JSON string or object")
    }

    /// Gives the bytes of a run's chunk: the lines as they were read, and the rewritten texts.
    package func withBytes(
        of run: RequestContents.Run,
        _ body: (_ bytes: borrowing Span<UInt8>, _ rewritten: borrowing Span<UInt8>) -> Void,
    ) {
        messages.withChunk(run.chunk) { body($0.bytes.span, $0.rewritten.span) }
    }
}

extension Chunk {
    /// The bits in which a text's first and last byte differ from what they must be; none for an absent text.
    @inline(__always)
    fileprivate func differences(of range: ByteRange, from first: UnicodeScalar, to last: UnicodeScalar) -> UInt8 {
        guard !range.isEmpty else { return 0 }
        let source = range.isRewritten ? rewritten.span : bytes.span
        let indices = range.indices
        return source[indices.lowerBound] ^ UInt8(ascii: first) | source[indices.upperBound - 1] ^ UInt8(ascii: last)
    }
}
