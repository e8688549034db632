// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

/// Requests to the queues of receipts, and their answers.
///
/// Source: api 5.2.
package enum QueueRequests {
    /// Asks for messages.
    ///
    /// - Parameters:
    ///   - queue: The queue.
    ///   - count: How many messages at most, 1 to 16.
    ///   - waitSeconds: How long to wait for one, 0 to 30.
    ///   - signer: Signs.
    ///   - host: The queue's endpoint, as the `Host` header names it.
    ///   - epochSeconds: The time in seconds since 1970-01-01T00:00:00Z.
    /// - Returns: The request to send.
    package static func receive(
        from queue: QueueName,
        count: Int,
        waitSeconds: Int,
        signer: inout QueueSigner,
        host: String,
        at epochSeconds: Int,
    ) -> SignedRequest {
        let resource = "/queues/\(queue.text)/messages?numOfMessages=\(count)&waitseconds=\(waitSeconds)"
        return request("GET", resource, body: [], &signer, host, epochSeconds)
    }

    /// Asks for the deletion of messages.
    ///
    /// - Parameters:
    ///   - handles: What the messages came with, 1 to 16.
    ///   - queue: The queue.
    ///   - signer: Signs.
    ///   - host: The queue's endpoint, as the `Host` header names it.
    ///   - epochSeconds: The time in seconds since 1970-01-01T00:00:00Z.
    /// - Returns: The request to send.
    package static func delete(
        _ handles: [String],
        from queue: QueueName,
        signer: inout QueueSigner,
        host: String,
        at epochSeconds: Int,
    ) -> SignedRequest {
        var body = "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
        body += "<ReceiptHandles xmlns=\"http://mns.aliyuncs.com/doc/v1/\">"
        for handle in handles { body += "<ReceiptHandle>\(XMLText.escaped(handle))</ReceiptHandle>" }
        body += "</ReceiptHandles>"
        return request("DELETE", "/queues/\(queue.text)/messages", body: Array(body.utf8), &signer, host, epochSeconds)
    }

    private static func request(
        _ method: String,
        _ resource: String,
        body: [UInt8],
        _ signer: inout QueueSigner,
        _ host: String,
        _ epochSeconds: Int,
    ) -> SignedRequest {
        var head = "\(method) \(resource) HTTP/1.1\r\n"
        let fields = signer.headers(method: method, host: host, resource: resource, body: body.span, at: epochSeconds)
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        head += "content-length: \(body.count)\r\n\r\n"
        return SignedRequest(head: Array(head.utf8), body: body, evidence: .queue)
    }

    /// What a queue answers.
    package enum Answer: Equatable, Sendable {
        /// Messages; none if there are none.
        case messages([QueueMessage])
        /// The messages are deleted, or had come back to the queue before.
        case deleted
        /// A refusal, with its code.
        case refused(code: String)
        /// What no queue answers.
        case unreadable

        /// Reads the answer to a request for messages.
        package init(received status: Int, _ body: Span<UInt8>) {
            guard let text = Self.text(body) else {
                self = .unreadable
                return
            }
            guard status == 200 else {
                let code = XMLText.first("Code", in: text)
                self = code == "MessageNotExist" ? .messages([]) : Self.refusal(code)
                return
            }
            guard text.contains("</Messages>") else {
                self = .unreadable
                return
            }
            var messages: [QueueMessage] = []
            for message in XMLText.all("Message", in: text) {
                guard let handle = XMLText.first("ReceiptHandle", in: message), !handle.isEmpty else {
                    self = .unreadable
                    return
                }
                let id = XMLText.first("MessageId", in: message) ?? ""
                let body = XMLText.first("MessageBody", in: message)
                messages.append(
                    QueueMessage(
                        id: id.isIdentifier ? id : "",
                        handle: handle,
                        body: body.flatMap { Base64.decode($0.utf8.span) },
                    )
                )
            }
            self = .messages(messages)
        }

        /// Reads the answer to a request for a deletion.
        package init(deleted status: Int, _ body: Span<UInt8>) {
            if (200..<300).contains(status) {
                self = .deleted
            } else if let text = Self.text(body) {
                // Some handles may be of messages that have come back: these come again.
                self = text.contains("</Errors>") ? .deleted : Self.refusal(XMLText.first("Code", in: text))
            } else {
                self = .unreadable
            }
        }

        private static func text(_ body: Span<UInt8>) -> Substring? {
            var bytes: [UInt8] = []
            bytes.append(copying: body)
            return String(validating: bytes, as: UTF8.self).map { Substring($0) }
        }

        private static func refusal(_ code: String?) -> Answer {
            guard let code, code.isCode else { return .unreadable }
            return .refused(code: code)
        }
    }
}

/// As much of XML as the queues' answers have: elements without attributes that matter, and text.
private enum XMLText {
    /// The contents of all elements with a name, wherever they stand.
    static func all(_ name: String, in text: Substring) -> [Substring] {
        var found: [Substring] = []
        var rest = text
        let end = "</\(name)>"
        while let start = rest.firstRange(of: "<\(name)>"), let close = rest[start.upperBound...].firstRange(of: end) {
            found.append(rest[start.upperBound..<close.lowerBound])
            rest = rest[close.upperBound...]
        }
        return found
    }

    /// The text of the first element with a name; `nil` if there is none.
    static func first(_ name: String, in text: Substring) -> String? {
        guard let start = text.firstRange(of: "<\(name)>"),
            let close = text[start.upperBound...].firstRange(of: "</\(name)>")
        else { return nil }
        return unescaped(text[start.upperBound..<close.lowerBound])
    }

    private static let entities: [(name: String, text: String)] = [
        ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&"),
    ]

    private static func unescaped(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return String(text) }
        return entities.reduce(String(text)) { $0.replacing($1.name, with: $1.text) }
    }

    static func escaped(_ text: String) -> String {
        // The ampersand first: those of the others are no text.
        entities.reversed().reduce(text) { $0.replacing($1.text, with: $1.name) }
    }
}
