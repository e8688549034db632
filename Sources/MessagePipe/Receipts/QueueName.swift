// SPDX-License-Identifier: Apache-2.0

/// A queue of receipts, such as `Alicom-Queue-1092397003988387-SmsReport`.
package struct QueueName: Hashable, Sendable {
    /// The whole name.
    package let text: String
    /// What its messages are, by the end of its name.
    package let type: ReceiptType

    /// Creates a name.
    ///
    /// - Parameter text: Letters, digits and hyphens, and at the end `-SmsReport` or `-SmsUp`; `nil` for any other.
    package init?(_ text: String) {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isName, let type = [ReceiptType.report, .reply].first(where: { text.hasSuffix("-\($0.rawValue)") }) else {
            return nil
        }
        self.text = text
        self.type = type
    }
}

/// A message that a queue has handed out.
package struct QueueMessage: Equatable, Sendable {
    /// What the queue calls it.
    package let id: String
    /// What it is deleted by.
    package let handle: String
    /// The receipt, one JSON object; `nil` if the queue's message cannot be read.
    package let body: [UInt8]?

    /// Creates a message.
    package init(id: String = "", handle: String, body: [UInt8]?) {
        self.id = id
        self.handle = handle
        self.body = body
    }
}
