// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// Why settings cannot be changed as asked.
struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, as a sentence without its full stop.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Settings that someone wants to have changed while the simulator runs; what is absent stays as it is.
struct SettingsChange: Equatable, Sendable {
    var faults: [FaultRule]?
    var latency: Latency?
    /// Zero takes the limit away.
    var requestsPerSecond: Double?
    var badElement: SimulatorConfiguration.BadElement?
    var reportDelay: Duration?
    var numberLimits: NumberLimits?

    /// Reads a JSON object such as `{"Faults":["drop-after=10%"],"Latency":"50ms±20ms","QPS":"5000"}`.
    ///
    /// - Throws: ``SettingsError`` that says what is wrong.
    init(_ body: [UInt8]) throws(SettingsError) {
        let members: [JSONMember]
        do throws(JSONError) {
            members = try JSONScanner.members(of: body.span, in: 0..<body.count)
        } catch {
            throw SettingsError("the body is no JSON object: \(error.description)")
        }
        for member in members {
            let name = String(decoding: body[member.name], as: UTF8.self)
            switch name {
            case "Faults": faults = try Self.rules(body, member)
            case "Latency": latency = try Self.read(name, body, member) { Latency(text: $0) }
            case "QPS": requestsPerSecond = try Self.read(name, body, member, Self.rate)
            case "OnBadElement": badElement = try Self.read(name, body, member) { .init(rawValue: $0) }
            case "ReportDelay": reportDelay = try Self.read(name, body, member) { DurationText.parse($0) }
            case "NumberLimits": numberLimits = try Self.read(name, body, member) { NumberLimits(text: $0) }
            default:
                throw SettingsError(
                    "there is no setting “\(name)”; there are Faults, Latency, QPS, OnBadElement, ReportDelay, NumberLimits"
                )
            }
        }
    }

    private static func rate(_ text: String) -> Double? {
        guard text != "none" else { return 0 }
        return Double(text).flatMap { $0 >= 0 && $0.isFinite ? $0 : nil }
    }

    /// The value of a setting from a string or a number.
    private static func read<Value>(
        _ name: String,
        _ body: [UInt8],
        _ member: JSONMember,
        _ parse: (String) -> Value?,
    ) throws(SettingsError) -> Value {
        let text = text(body, member)
        guard let value = parse(text) else { throw SettingsError("“\(text)” is no value of \(name)") }
        return value
    }

    private static func rules(_ body: [UInt8], _ member: JSONMember) throws(SettingsError) -> [FaultRule] {
        guard let elements = try? JSONScanner.elements(of: body.span, in: member.value) else {
            throw SettingsError("Faults must be an array of texts such as drop-after=10%")
        }
        var rules: [FaultRule] = []
        for element in elements {
            do throws(FaultRuleError) {
                rules.append(try FaultRule(parsing: text(body, element)))
            } catch {
                throw SettingsError(error.description)
            }
        }
        return rules
    }

    private static func text(_ body: [UInt8], _ member: JSONMember) -> String {
        guard member.kind == .string else { return String(decoding: body[member.value], as: UTF8.self) }
        return String(decoding: JSONText.decodeString(body.span, member.value), as: UTF8.self)
    }
}

extension NumberLimits {
    /// Reads `none` or `service`; `nil` for other text.
    package init?(text: String) {
        switch text {
        case "none": self = .none
        case "service": self = .service
        default: return nil
        }
    }

    /// `none`, `service`, or `account` for those of an account file.
    package var text: String {
        if self == .none { return "none" }
        return self == .service ? "service" : "account"
    }
}
