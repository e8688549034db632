// SPDX-License-Identifier: Apache-2.0

extension GatewayRules {
    /// Takes the messages of SendBatchSms or SendSms, or refuses them.
    ///
    /// - Parameters:
    ///   - call: The call.
    ///   - reply: Gets the receipt id, and the messages that fail alone.
    ///   - bizID: The receipt id.
    /// - Throws: The ``Refusal`` of the whole request.
    mutating func send(_ call: ReceivedCall, _ reply: inout Reply, bizID: String) throws(Refusal) {
        if let refusal = call.sendRefusal { throw refusal }
        guard let send = call.send, let judgement = call.judgement else { return }
        if let refusal = judgement.refusal { throw refusal }
        let name = send.text(send.templateCode)
        let template = account.templates?[name]
        var culprits = judgement.culprits
        culprits.append(contentsOf: limiter.examine(send, kind: judgement.kind, at: reply.time, account: account))
        culprits.append(contentsOf: spending.examineExtensionCodes(send, cap: account.extensionCodeCap))
        if culprits.count > judgement.culprits.count { culprits.sort { $0.index < $1.index } }
        try settle(culprits, of: send.elements.count)
        let cost = account.balance == nil ? 0 : MessageText.segmentCount(of: send, template: template)
        try spending.spend(segments: cost, messages: send.elements.count, at: reply.time, account: account)
        limiter.commit()
        spending.commitExtensionCodes(send)
        reply.bizID = bizID
        reply.culprits = culprits
    }

    /// Decides whether bad messages stop the others.
    private func settle(_ culprits: [SendJudgement.Culprit], of count: Int) throws(Refusal) {
        guard let first = culprits.first else { return }
        // A code that concerns the account stops everything, whichever message shows it.
        if let whole = culprits.first(where: { RefusalTexts.wholeRequest.contains($0.refusal.code) }) {
            throw whole.refusal
        }
        let badCount = Set(culprits.map(\.index)).count
        guard configuration.badElement == .failOne, badCount < count else { throw first.refusal }
    }
}
