// SPDX-License-Identifier: Apache-2.0

/// The texts of a request's messages, gathered from the chunks that they came in.
///
/// One visit to each message, wherever it lies in memory; what follows works on bytes that are together. The storage is used
/// again for the next request.
package struct RequestContents: Sendable {
    /// Where one message's texts stand in ``RequestContents/bytes``.
    package struct Element: Sendable {
        /// The number's text.
        package fileprivate(set) var phoneNumber: Range<Int>
        /// The sign name as a JSON string.
        package fileprivate(set) var signName: Range<Int>
        /// The template parameters as a JSON object; empty where there are none.
        package fileprivate(set) var templateParameters: Range<Int>
        /// The extension code as a JSON string; empty where there is none.
        package fileprivate(set) var extensionCode: Range<Int>
    }

    /// The texts of all messages.
    package private(set) var bytes: [UInt8] = []
    /// The messages in the request's order.
    package private(set) var elements: [Element] = []

    /// Creates contents without messages.
    package init() {}

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        elements.removeAll(keepingCapacity: true)
    }

    mutating func append(_ message: Message, from chunk: borrowing Chunk) {
        let phoneNumber = append(message.phoneNumber, from: chunk)
        let signName = append(message.signName, from: chunk)
        let templateParameters = append(message.templateParameters, from: chunk)
        let extensionCode = append(message.extensionCode, from: chunk)
        elements.append(
            Element(
                phoneNumber: phoneNumber,
                signName: signName,
                templateParameters: templateParameters,
                extensionCode: extensionCode,
            )
        )
    }

    private mutating func append(_ range: ByteRange, from chunk: borrowing Chunk) -> Range<Int> {
        let start = bytes.count
        chunk.append(range, to: &bytes)
        return start..<bytes.count
    }
}

extension Engine {
    /// Gathers the texts of a request's messages.
    ///
    /// - Parameters:
    ///   - id: The request.
    ///   - contents: Emptied, then filled.
    package func gather(_ id: RequestID, into contents: inout RequestContents) {
        contents.removeAll()
        for item in batches[id.batch].items {
            let message = messages[item.slot]
            messages.withChunk(of: item.slot) { contents.append(message, from: $0) }
        }
    }
}
