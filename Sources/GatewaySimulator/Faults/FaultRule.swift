// SPDX-License-Identifier: Apache-2.0

/// A way in which a send goes wrong on purpose.
package enum Fault: Equatable, Sendable {
    /// Refused with a code; nothing is taken.
    case error(String)
    /// Answered with 503 ServiceUnavailable; nothing is taken.
    case unavailable
    /// The connection is closed before the messages are taken.
    case dropBefore
    /// The messages are taken and the connection is closed without an answer.
    case dropAfter
    /// The messages are taken and no answer ever comes.
    case stall
    /// The messages are taken, half of the answer's body is sent, and the connection is closed.
    case truncate
    /// The messages are taken and the answer is 200 with a body that is no JSON.
    case garbage

    /// The fault as the command line writes it, such as `drop-after` or `error:isv.SMS_CONTENT_ILLEGAL`.
    package var text: String {
        switch self {
        case .error(let code): "error:\(code)"
        case .unavailable: "503"
        case .dropBefore: "drop-before"
        case .dropAfter: "drop-after"
        case .stall: "stall"
        case .truncate: "truncate"
        case .garbage: "garbage"
        }
    }

    /// Reads a fault from its text; `nil` for text that names none.
    package init?(text: String) {
        switch text {
        case "503": self = .unavailable
        case "drop-before": self = .dropBefore
        case "drop-after": self = .dropAfter
        case "stall": self = .stall
        case "truncate": self = .truncate
        case "garbage": self = .garbage
        default:
            guard text.hasPrefix("error:"), text.utf8.count > 6 else { return nil }
            self = .error(String(text.dropFirst(6)))
        }
    }
}

/// A fault and the sends that it befalls.
package struct FaultRule: Equatable, Sendable {
    /// The fault.
    package var fault: Fault
    /// The share of matching requests that it befalls, from 0 to 1.
    package var share: Double
    /// Only requests with this template; `nil` for all.
    package var templateCode: String?
    /// Only requests with a message to this number, in normal form; `nil` for all.
    package var phoneNumber: String?
    /// Only the n-th matching request, from 1; `nil` for a share of all.
    package var nth: Int?
    /// Only this call; `nil` for the calls that send.
    package var action: String?

    /// Creates a rule.
    ///
    /// - Parameters:
    ///   - fault: The fault.
    ///   - share: The share of matching requests, from 0 to 1.
    package init(_ fault: Fault, share: Double = 1) {
        self.fault = fault
        self.share = share
    }

    /// Reads a rule as the command line writes it: `KIND=SHARE[,template=CODE][,number=NUMBER][,nth=N][,action=NAME]`.
    ///
    /// - Throws: ``FaultRuleError`` that says what is wrong.
    package init(parsing text: String) throws(FaultRuleError) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard let equals = parts[0].lastIndex(of: "="), let fault = Fault(text: String(parts[0][..<equals])) else {
            throw FaultRuleError(
                "“\(parts[0])” is no KIND=SHARE; kinds are error:CODE, 503, drop-before, drop-after, stall, truncate, garbage"
            )
        }
        guard let share = Self.share(parts[0][parts[0].index(after: equals)...]) else {
            throw FaultRuleError("the share of “\(parts[0])” must be a number from 0 to 1, or a percentage such as 10%")
        }
        self.init(fault, share: share)
        var names: Set<Substring> = []
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, !part.contains(where: \.isWhitespace) else {
                throw FaultRuleError("“\(part)” is no NAME=VALUE; a fault is one option, or one line of a faults file")
            }
            guard names.insert(pair[0]).inserted else { throw FaultRuleError("“\(pair[0])” stands twice") }
            switch pair[0] {
            case "template": templateCode = String(pair[1])
            case "number":
                phoneNumber = PhoneNumberForm.digits(of: String(pair[1]))
                if phoneNumber == nil { throw FaultRuleError("“\(pair[1])” is no phone number") }
            case "action":
                action = APIAction(rawValue: String(pair[1]))?.rawValue
                guard action == nil else { continue }
                let all = APIAction.allCases.map(\.rawValue).joined(separator: ", ")
                throw FaultRuleError("there is no action “\(pair[1])”; there are \(all)")
            case "nth":
                guard let number = Int(pair[1]), number > 0 else {
                    throw FaultRuleError("“\(part)” must give a number above 0")
                }
                nth = number
            default: throw FaultRuleError("“\(pair[0])” is no limit of a fault; they are template, number, nth, action")
            }
        }
    }

    /// The rule as the command line writes it.
    package var text: String {
        var text = "\(fault.text)=\(share)"
        if let templateCode { text += ",template=\(templateCode)" }
        if let phoneNumber { text += ",number=\(phoneNumber)" }
        if let nth { text += ",nth=\(nth)" }
        if let action { text += ",action=\(action)" }
        return text
    }

    private static func share(_ text: Substring) -> Double? {
        let value = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
        guard let value, (0...1).contains(value) else { return nil }
        return value
    }
}

/// Why a text is no fault rule.
package struct FaultRuleError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, as a sentence without its full stop.
    package let description: String

    /// Creates an error.
    init(_ description: String) {
        self.description = description
    }
}

/// How long answers take.
package struct Latency: Equatable, Sendable {
    /// The middle.
    package var base: Duration
    /// How far an answer may be off the middle, either way.
    package var jitter: Duration

    /// Creates a latency.
    ///
    /// - Parameters:
    ///   - base: The middle.
    ///   - jitter: How far an answer may be off the middle, either way.
    package init(_ base: Duration, jitter: Duration = .zero) {
        self.base = base
        self.jitter = jitter
    }
}
