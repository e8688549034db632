// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// The messages of one call of SendBatchSms or SendSms, as ranges into bytes that are kept as long as the messages are.
package struct SendRequest: Sendable {
    /// One message.
    struct Element: Sendable {
        /// The number as sent.
        var phoneNumber: Range<Int>
        /// The sign name.
        var signName: Range<Int>
        /// The JSON object with the values; `nil` if none was sent.
        var templateParameters: Range<Int>?
        /// The extension code; `nil` if none was sent.
        var extensionCode: Range<Int>?
        /// The number in the normal form of ``PhoneNumberForm``; the same as `phoneNumber` where it has none.
        var digits: Range<Int>
        /// The hash of `digits`.
        var numberHash: UInt64 = 0
        /// The hash of all that makes the message another one: number, sign name, template, values and extension code.
        var digest: UInt64 = 0
    }

    /// The decoded parameters, and after them the texts of strings that had escapes.
    private(set) var bytes: [UInt8]
    /// The template of all messages.
    private(set) var templateCode: Range<Int>
    /// The caller's own id of the request.
    private(set) var outID: Range<Int>?
    /// The messages in the order of the request.
    var elements: [Element] = []

    /// The most phone numbers of a batch.
    ///
    /// Source: api 3.1, PhoneNumberJson.
    static let maximumBatchCount = 100
    /// The most phone numbers of a single send.
    ///
    /// Source: api 4.1, PhoneNumbers.
    static let maximumSingleCount = 1_000

    /// Reads the parameters of SendBatchSms.
    ///
    /// - Throws: The ``Refusal`` for parameters that are missing or have the wrong form. Source: api 3.1.
    init(batch parameters: ParameterList) throws(Refusal) {
        let phones = try Self.required("PhoneNumberJson", in: parameters)
        let signNames = try Self.required("SignNameJson", in: parameters)
        templateCode = try Self.required("TemplateCode", in: parameters)
        outID = parameters.range(of: "OutId")
        bytes = parameters.bytes
        try checkOutID()
        let phoneNumbers = try strings(phones, named: "PhoneNumberJson")
        guard !phoneNumbers.isEmpty else { throw Self.badLength("PhoneNumberJson", phoneNumbers.count) }
        guard phoneNumbers.count <= Self.maximumBatchCount else { throw .service("isv.MOBILE_COUNT_OVER_LIMIT") }
        let names = try strings(signNames, named: "SignNameJson")
        guard names.count == phoneNumbers.count else { throw Self.badLength("SignNameJson", names.count) }
        var values: [Range<Int>]?
        if let range = parameters.range(of: "TemplateParamJson") { values = try objects(range) }
        if let values, values.count != phoneNumbers.count { throw Self.badLength("TemplateParamJson", values.count) }
        var codes: [Range<Int>]?
        if let range = parameters.range(of: "SmsUpExtendCodeJson") {
            codes = try strings(range, named: "SmsUpExtendCodeJson")
        }
        if let codes, codes.count != phoneNumbers.count { throw Self.badLength("SmsUpExtendCodeJson", codes.count) }
        elements.reserveCapacity(phoneNumbers.count)
        for index in phoneNumbers.indices {
            append(phoneNumbers[index], names[index], values?[index], codes?[index])
        }
    }

    /// Reads the parameters of SendSms.
    ///
    /// - Throws: The ``Refusal`` for parameters that are missing or have the wrong form. Source: api 4.1.
    init(single parameters: ParameterList) throws(Refusal) {
        let phones = try Self.required("PhoneNumbers", in: parameters)
        let signName = try Self.required("SignName", in: parameters)
        templateCode = try Self.required("TemplateCode", in: parameters)
        outID = parameters.range(of: "OutId")
        bytes = parameters.bytes
        try checkOutID()
        let object = parameters.range(of: "TemplateParam")
        let code = parameters.range(of: "SmsUpExtendCode")
        var start = phones.lowerBound
        for index in phones where bytes[index] == UInt8(ascii: ",") {
            append(start..<index, signName, object, code)
            start = index + 1
        }
        append(start..<phones.upperBound, signName, object, code)
        guard elements.count <= Self.maximumSingleCount else { throw .service("isv.MOBILE_COUNT_OVER_LIMIT") }
    }

    /// The text of a range of the bytes.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    // MARK: Reading

    private mutating func append(
        _ phoneNumber: Range<Int>,
        _ signName: Range<Int>,
        _ templateParameters: Range<Int>?,
        _ extensionCode: Range<Int>?,
    ) {
        elements.append(
            Element(
                phoneNumber: phoneNumber,
                signName: signName,
                templateParameters: templateParameters,
                extensionCode: extensionCode,
                digits: phoneNumber,
            )
        )
    }

    private static func required(_ name: StaticString, in parameters: ParameterList) throws(Refusal) -> Range<Int> {
        guard let range = parameters.range(of: name), !range.isEmpty else { throw .missing(name.description) }
        return range
    }

    /// An OutId must have fewer than 256 characters.
    ///
    /// Source: api 3.1, OutId.
    private func checkOutID() throws(Refusal) {
        guard let outID, outID.count >= 256, text(outID).unicodeScalars.count >= 256 else { return }
        throw .service("isv.PARAM_LENGTH_LIMIT", "参数超过长度限制:255")
    }

    /// The texts of an array of strings.
    private mutating func strings(_ range: Range<Int>, named name: String) throws(Refusal) -> [Range<Int>] {
        let members = try elements(range, named: name)
        var texts: [Range<Int>] = []
        texts.reserveCapacity(members.count)
        for member in members {
            guard member.kind == .string else {
                throw .service("isv.INVALID_JSON_PARAM", "\(name) must be an array of strings.")
            }
            texts.append(member.hasEscapes ? appendDecoded(member.value) : member.value.dropFirst().dropLast())
        }
        return texts
    }

    /// The texts of an array of objects.
    private func objects(_ range: Range<Int>) throws(Refusal) -> [Range<Int>] {
        let members = try elements(range, named: "TemplateParamJson")
        guard members.allSatisfy({ $0.kind == .object }) else {
            throw .service("isv.INVALID_JSON_PARAM", "TemplateParamJson must be an array of objects.")
        }
        return members.map(\.value)
    }

    private func elements(_ range: Range<Int>, named name: String) throws(Refusal) -> [JSONMember] {
        do throws(JSONError) {
            return try JSONScanner.elements(of: bytes.span, in: range)
        } catch {
            throw .service("isv.INVALID_JSON_PARAM", "\(name) is no JSON array: \(error.description).")
        }
    }

    private mutating func appendDecoded(_ string: Range<Int>) -> Range<Int> {
        let start = bytes.count
        bytes.append(contentsOf: JSONText.decodeString(bytes.span, string))
        return start..<bytes.count
    }

    private static func badLength(_ name: String, _ count: Int) -> Refusal {
        .service("isv.INVALID_PARAMETERS", "\(name) holds \(count) elements, which does not fit PhoneNumberJson.")
    }
}
