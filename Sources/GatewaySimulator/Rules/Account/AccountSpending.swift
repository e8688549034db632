// SPDX-License-Identifier: Apache-2.0

/// What the account has used up: money, its caps, and its extension codes.
struct AccountSpending: Sendable {
    private static let maximumCodeCount = 100_000

    private var balance: Int?
    private var day = ""
    private var dayCount = 0
    private var monthCount = 0
    /// Which sign name each extension code serves, as a hash.
    private var codeOwners: [String: UInt64] = [:]

    /// Creates the spending of an account that has sent nothing.
    init(balance: Int?) {
        self.balance = balance
    }

    /// How many segments can still be paid; `nil` for no end.
    var remainingBalance: Int? { balance }

    /// Pays for messages and counts them.
    ///
    /// - Throws: The ``Refusal`` for a balance or a cap that does not suffice; nothing is counted then.
    mutating func spend(
        segments: Int,
        messages: Int,
        at now: WallTime,
        account: SimulatedAccount,
    ) throws(Refusal) {
        if account.dayCap != nil || account.monthCap != nil {
            let today = now.chinaDate
            if day.prefix(6) != today.prefix(6) { monthCount = 0 }
            if day != today { (day, dayCount) = (today, 0) }
            if let cap = account.dayCap, dayCount + messages > cap { throw .service("isv.DAY_LIMIT_CONTROL") }
            if let cap = account.monthCap, monthCount + messages > cap { throw .service("isv.MONTH_LIMIT_CONTROL") }
        }
        if let balance {
            guard balance >= segments else { throw .service("isv.AMOUNT_NOT_ENOUGH") }
            self.balance = balance - segments
        }
        dayCount += messages
        monthCount += messages
    }

    /// Finds extension codes that served another sign name before, or that are too many.
    func examineExtensionCodes(_ send: SendRequest, cap: Int?) -> [SendJudgement.Culprit] {
        var culprits: [SendJudgement.Culprit] = []
        var newCodes: Set<String> = []
        for (index, element) in send.elements.enumerated() {
            guard let range = element.extensionCode, !range.isEmpty else { continue }
            let code = send.text(range)
            if let owner = codeOwners[code] {
                if owner != ContentHash.of(send.bytes.span, element.signName) {
                    culprits.append(.init(index: index, refusal: .service("isv.ONE_CODE_MULTIPLE_SIGN")))
                }
            } else if newCodes.insert(code).inserted, let cap, codeOwners.count + newCodes.count > cap {
                culprits.append(.init(index: index, refusal: .service("isv.CODE_EXCEED_LIMIT")))
            }
        }
        return culprits
    }

    /// Binds the extension codes of a request that was taken.
    mutating func commitExtensionCodes(_ send: SendRequest) {
        for element in send.elements {
            guard let range = element.extensionCode, !range.isEmpty, codeOwners.count < Self.maximumCodeCount else {
                continue
            }
            codeOwners[send.text(range)] = ContentHash.of(send.bytes.span, element.signName)
        }
    }
}
