// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

/// The codes of the service, of the gateway before it and of this program, one entry each.
///
/// Source: SMS API error codes; the gateway's common error codes; answers quoted in public issues.
package enum CodeTable {
    /// All entries; the last one is for codes that nothing else is known about.
    package static let entries: [CodeEntry] = service + management + gateway + own + [unknown]

    /// Looks a code up: exactly, else by the longest beginning that has an entry.
    ///
    /// - Parameter code: The code, such as `isv.BUSINESS_LIMIT_CONTROL`.
    /// - Returns: Its entry; for a code that is nowhere, the one whose code is `*`.
    package static func entry(for code: String) -> CodeEntry {
        if let entry = exactEntries[code] { return entry }
        return prefixEntries.first { code.utf8.starts(with: $0.code.utf8.dropLast()) } ?? unknown
    }

    /// Whether a code, or its beginning, has an entry of its own.
    package static func isKnown(_ code: String) -> Bool { entry(for: code).code != unknown.code }

    /// The class of an answer's code.
    ///
    /// - Parameters:
    ///   - code: The code of the answer.
    ///   - status: The answer's HTTP status. A refusal by the gateway, 4xx, sent nothing even where its code is new;
    ///     what a 5xx did is never known, nor what a 408 or 499, which something on the way gives when it has waited for the
    ///     gateway in vain.
    /// - Returns: The class; ``CodeClass/ambiguous`` where nothing is certain.
    package static func codeClass(of code: String, status: Int) -> CodeClass {
        guard status < 500, status != 408, status != 499 else { return .ambiguous }
        let entry = entry(for: code)
        // Our own codes come from nowhere else; a gateway that used one would be one that we do not know.
        if let codeClass = entry.codeClass, entry.code != unknown.code {
            // Accepted, but with a status that refuses: which of the two holds is open.
            return codeClass == .success && !(200..<300).contains(status) ? .ambiguous : codeClass
        }
        switch status {
        case 429: return .throttle
        case 400..<500: return .unknownRefusal
        default: return .ambiguous
        }
    }

    /// What to do when it is open whether messages were sent.
    static let lookFirst = "Look at the send details or the delivery receipts before you send the messages again."
    /// What to do when the gateway finds a fault in what only this program writes.
    static let reportFault = "Look for a proxy that changes requests; if there is none, report a fault of smspipe."
    /// What to do when a permission to send, or to ask what became of messages, is missing.
    package static let grantPermission =
        "Attach the policy AliyunDysmsFullAccess, or allow dysms:SendBatchSms and dysms:QuerySendDetails, in the RAM console."

    private static let unknown = CodeEntry(
        gateway: "*",
        .ambiguous,
        http: [],
        "A code that smspipe does not know: refused with an HTTP status of 4xx, nothing was sent; else it may have been.",
        """
        Read the Message. Where the line is neither rejected nor skipped, look at the send details before you send it again. \
        As an ErrCode of a receipt it is the carrier's word on a message that was sent.
        """,
    )

    private static let exactEntries: [String: CodeEntry] = Dictionary(
        uniqueKeysWithValues: entries.filter { !$0.isPrefix }.map { ($0.code, $0) }
    )

    /// The longest beginnings first.
    private static let prefixEntries: [CodeEntry] = entries.filter(\.isPrefix).sorted {
        $0.code.utf8.count > $1.code.utf8.count
    }
}
