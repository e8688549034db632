// SPDX-License-Identifier: Apache-2.0

/// Which messages or requests someone wants to see.
struct MessageQuery: Sendable {
    private let phoneNumber: String?
    /// The same in normal form, if it is whole.
    private let digits: String?
    private let templateCode: String?
    private let text: String?
    private let code: String?
    private let request: UInt64?
    private let after: UInt64
    private let isNewestFirst: Bool
    /// The most lines of an answer.
    let limit: Int

    /// Reads the parameters `number`, `template`, `text`, `code`, `request`, `after`, `newest` and `limit`; `nil` if one of the
    /// numbers among them is none.
    init?(_ parameters: ParameterList) {
        func value(_ name: StaticString) -> String? { parameters.text(of: name).flatMap { $0.isEmpty ? nil : $0 } }
        for name in ["request", "after", "limit"] as [StaticString] {
            if let text = value(name), UInt64(text) == nil { return nil }
        }
        phoneNumber = value("number")
        digits = phoneNumber.flatMap { PhoneNumberForm.digits(of: $0) }
        templateCode = value("template")
        text = value("text")?.lowercased()
        code = value("code")
        request = value("request").flatMap { UInt64($0) }
        after = value("after").flatMap { UInt64($0) } ?? 0
        isNewestFirst = value("newest") != nil
        limit = value("limit").flatMap { Int($0) } ?? .max
    }

    /// The numbers that come into question, in the order of the answer.
    func numbers(in kept: Range<UInt64>) -> [UInt64] {
        guard after < kept.upperBound else { return [] }
        let start = max(kept.lowerBound, after + 1)
        return isNewestFirst ? (start..<kept.upperBound).reversed() : Array(start..<kept.upperBound)
    }

    /// The requests that come into question, in the order of the answer.
    func inOrder(_ kept: [RequestRecord]) -> [RequestRecord] {
        let found = kept.drop { $0.number <= after }
        return isNewestFirst ? found.reversed() : Array(found)
    }

    /// Whether a message is wanted; the text is looked for in everything that the inbox shows of it.
    func matches(_ message: SentMessage, text shown: String) -> Bool {
        if let request, message.request != request { return false }
        if let phoneNumber, !message.phoneNumber.contains(phoneNumber), message.digits != digits { return false }
        if let templateCode, message.templateCode != templateCode { return false }
        guard let text else { return true }
        return shown.lowercased().contains(text) || message.phoneNumber.contains(text)
            || message.templateCode.lowercased().contains(text) || message.bizID.contains(text)
            || message.outID?.lowercased().contains(text) == true
    }

    /// Whether a request is wanted.
    func matches(_ record: RequestRecord) -> Bool {
        if let code, record.code != code { return false }
        return true
    }
}
