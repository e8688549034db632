// SPDX-License-Identifier: Apache-2.0

/// The account that the simulated gateway serves: who may send what to whom.
package struct SimulatedAccount: Equatable, Sendable {
    /// The access keys by id.
    package var accessKeys: [String: AccessKey]
    /// Whether the account can send at all.
    package var standing: Standing = .active
    /// The sign names by name; `nil` takes any.
    package var signNames: [String: SignName]?
    /// The templates by code; `nil` takes any code that begins with `SMS_`.
    package var templates: [String: Template]?
    /// How many segments can still be paid; `nil` for no end.
    package var balance: Int?
    /// How many messages a day of China time may see; `nil` for no cap.
    package var dayCap: Int?
    /// How many messages a month of China time may see; `nil` for no cap.
    package var monthCap: Int?
    /// How many different extension codes may be in use; `nil` for no cap.
    package var extensionCodeCap: Int?
    /// Phone numbers with a fate of their own, in the normal form of ``PhoneNumberForm``.
    package var numbers: [String: NumberState] {
        get { listed.states }
        set { listed = ListedNumbers(newValue) }
    }
    private var listed = ListedNumbers([:])
    /// The hashes of the listed numbers, so that most numbers are settled without making a text.
    var numberHashes: DigestSet { listed.hashes }
    /// The per-number limits.
    package var numberLimits = NumberLimits.none
    /// Texts that make a message `isv.SMS_CONTENT_ILLEGAL`.
    package var forbiddenWords: [String] = []
    /// Texts that make a notice `isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE`.
    package var promotionWords: [String] = []

    /// Creates an account with one active key, any sign name, any template and the magic numbers.
    ///
    /// - Parameters:
    ///   - accessKeyID: The id of its key.
    ///   - accessKeySecret: The secret of its key.
    /// - Returns: The account.
    package static func `default`(accessKeyID: String, accessKeySecret: String) -> SimulatedAccount {
        var account = SimulatedAccount(accessKeys: [accessKeyID: AccessKey(secret: accessKeySecret)])
        account.numbers = MagicNumbers.states
        return account
    }

    /// Creates an account that takes any sign name and any template.
    ///
    /// - Parameter accessKeys: The access keys by id.
    package init(accessKeys: [String: AccessKey]) {
        self.accessKeys = accessKeys
    }
}

/// Phone numbers with a fate of their own.
private struct ListedNumbers: Equatable, Sendable {
    let states: [String: NumberState]
    let hashes: DigestSet

    init(_ states: [String: NumberState]) {
        var hashes = DigestSet()
        for number in states.keys { _ = hashes.insert(ContentHash.of(number)) }
        self.states = states
        self.hashes = hashes
    }
}

/// An access key of the simulated account.
package struct AccessKey: Equatable, Sendable {
    /// What a key may do.
    package enum State: String, CaseIterable, Sendable {
        /// Everything.
        case active
        /// Nothing: `InvalidAccessKeyId.Inactive`.
        case disabled
        /// Not send: `isp.RAM_PERMISSION_DENY`.
        case unauthorized
    }

    /// The secret that signs.
    package var secret: String
    /// What the key may do.
    package var state = State.active
    /// The token that must come along, if the key is a temporary one.
    package var securityToken: String?
    /// When the token ends; `nil` for never.
    package var expiration: WallTime?

    /// Creates an active, lasting key.
    package init(secret: String) {
        self.secret = secret
    }
}

/// Whether an account can send, as the service sees it.
package enum Standing: String, CaseIterable, Sendable {
    case active
    case overdue
    case noCommunicationProduct = "no-communication-product"
    case notSubscribed = "not-subscribed"
    case missing
    case abnormal
    case frozen
    case foreignAddress = "foreign-address"

    /// The code for it; `nil` for an account that can send.
    ///
    /// Source: api 6.3.
    package var code: String? {
        switch self {
        case .active: nil
        case .overdue: "isv.OUT_OF_SERVICE"
        case .noCommunicationProduct: "isv.PRODUCT_UN_SUBSCRIPT"
        case .notSubscribed: "isv.PRODUCT_UNSUBSCRIBE"
        case .missing: "isv.ACCOUNT_NOT_EXISTS"
        case .abnormal: "isv.ACCOUNT_ABNORMAL"
        case .frozen: "isv.SECURITY_FROZEN_ACCOUNT"
        case .foreignAddress: "isv.DENY_IP_RANGE"
        }
    }
}

/// A sign name of the simulated account.
package struct SignName: Equatable, Sendable {
    /// Where the sign name stands, as the service sees it.
    package enum State: String, CaseIterable, Sendable {
        case approved
        case inReview = "in-review"
        case rejected
        case cancelled
        case forbidden
        case unavailable
        case misnamed
        case blacklisted
        case blacklistedOld = "blacklisted-old"

        /// The code for it; `nil` for one that can be used.
        ///
        /// Source: api 6.3.
        package var code: String? {
            switch self {
            case .approved: nil
            case .inReview, .rejected, .cancelled: "isv.SMS_SIGNATURE_ILLEGAL"
            case .forbidden: "isv.SMS_SIGN_ILLEGAL"
            case .unavailable: "isv.SIGN_STATE_ILLEGAL"
            case .misnamed: "isv.SIGN_NAME_ILLEGAL"
            case .blacklisted: "isv.SIGNATURE_BLACKLIST"
            case .blacklistedOld: "SIGNATURE_BLACKLIST"
            }
        }
    }

    /// What a sign name serves.
    package enum Kind: String, CaseIterable, Sendable {
        case general
        case code
        case test
    }

    /// Where it stands.
    package var state = State.approved
    /// What it serves.
    package var kind = Kind.general

    /// Creates an approved, general sign name.
    package init() {}
}

/// A template of the simulated account.
package struct Template: Equatable, Sendable {
    /// The kind of a template.
    package enum Kind: String, CaseIterable, Sendable {
        case code
        case notice
        case promotion
        case international
    }

    /// Where the audit stands.
    package enum State: String, CaseIterable, Sendable {
        case approved
        case inReview = "in-review"
        case rejected
        case cancelled
    }

    /// The name shown in the console.
    package var name: String
    /// The text with its `${name}` variables.
    package var content: String
    /// The kind.
    package var kind: Kind
    /// Where the audit stands.
    package var state = State.approved
    /// Whether it is one of the console's test templates.
    package var isTest = false
    /// The attributes of its variables by name.
    ///
    /// Source: api 7.3.
    package var attributes: [String: VariableAttribute] = [:]
    /// How many characters a value may have.
    ///
    /// Source: api 7.3, "1 to 35 (templates since 2018-01-10), 1 to 20 before".
    package var maximumValueCharacters = 35

    /// Creates an approved template.
    ///
    /// - Parameters:
    ///   - name: The name shown in the console.
    ///   - content: The text with its `${name}` variables.
    ///   - kind: The kind.
    package init(name: String, content: String, kind: Kind) {
        self.name = name
        self.content = content
        self.kind = kind
    }

    /// The names of the variables in the order of the text, each once.
    package var variables: [String] {
        var names: [String] = []
        var rest = content[...]
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = String(rest[start.upperBound..<end])
            if !names.contains(name) { names.append(name) }
            rest = rest[rest.index(after: end)...]
        }
        return names
    }

    /// The text with values in place of its variables; a variable without a value stays as it is.
    package func rendered(with values: [(name: String, value: String)]) -> String {
        var output = ""
        var rest = content[...]
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = rest[start.upperBound..<end]
            output += rest[..<start.lowerBound]
            output += values.last { $0.name == name }?.value ?? String(rest[start.lowerBound...end])
            rest = rest[rest.index(after: end)...]
        }
        return output + rest
    }
}

/// What becomes of messages to a phone number.
package struct NumberState: Equatable, Sendable {
    /// The final state after a message was taken.
    package enum Outcome: Equatable, Sendable {
        /// Reported as delivered.
        case delivered
        /// Reported as failed with a carrier's code.
        case failed(String)
        /// Never reported.
        case silent
    }

    /// The code that refuses a message to the number; `nil` where it is taken.
    package var refusal: String?
    /// The code that refuses a promotion to the number; `nil` where it is taken.
    package var promotionRefusal: String?
    /// What is reported of a message that was taken.
    package var outcome = Outcome.delivered
    /// How long the report takes; `nil` for the usual time.
    package var reportDelay: Duration?
    /// Whether the console's test templates reach it.
    package var isBoundForTests = false
    /// Whether the per-number limits leave it out.
    package var isExemptFromLimits = false

    /// Creates the state of an ordinary number.
    package init() {}
}
