// SPDX-License-Identifier: Apache-2.0

/// Finds the messages whose reports have become due, each once.
///
/// Messages that are dropped before their report is due are never reported, as the service loses one now and then.
struct ReceiptFeed: Sendable {
    private var nextMessage: UInt64 = 1
    private var waiting: [UInt64] = []

    /// Takes the reports that are due by now, oldest message first, `limit` at most.
    mutating func take(from rules: GatewayRules, at now: WallTime, limit: Int) -> [Receipt] {
        let kept = rules.records.messageNumbers
        waiting.removeAll { !kept.contains($0) }
        nextMessage = max(nextMessage, kept.lowerBound)
        waiting.append(contentsOf: nextMessage..<kept.upperBound)
        nextMessage = kept.upperBound
        var receipts: [Receipt] = []
        var later: [UInt64] = []
        for (index, number) in waiting.enumerated() {
            guard receipts.count < limit else {
                later.append(contentsOf: waiting[index...])
                break
            }
            guard let message = rules.records.message(number), !rules.isSilent(message) else { continue }
            let state = rules.deliveryState(of: message, at: now)
            guard state.sendStatus != 1 else {
                later.append(number)
                continue
            }
            receipts.append(.report(of: message, state: state, segments: rules.segmentCount(of: message)))
        }
        waiting = later
        return receipts
    }
}

extension GatewayRules {
    /// Whether nothing is ever reported of a message.
    func isSilent(_ message: SentMessage) -> Bool {
        message.failure == nil && account.numbers[message.digits]?.outcome == .silent
    }

    /// How many segments a message takes.
    func segmentCount(of message: SentMessage) -> Int {
        let template = account.templates?[message.templateCode]
        let text = MessageText.text(of: message, template: template)
        return MessageText.segmentCount(of: text, isInternational: template?.kind == .international)
    }
}
