// SPDX-License-Identifier: Apache-2.0

/// What the account's fixed rules say of a send: everything that needs no memory of earlier requests.
struct SendJudgement: Sendable {
    /// One message that cannot go.
    struct Culprit: Equatable, Sendable {
        /// Its index in the request.
        var index: Int
        /// Why.
        var refusal: Refusal
    }

    /// Why nothing of the request can go, whatever the messages.
    var refusal: Refusal?
    /// The messages that cannot go, in order.
    var culprits: [Culprit] = []
    /// The kind of the template, if the account knows it.
    var kind: Template.Kind?

    /// Judges a send and fills in the normal forms and hashes of its messages.
    ///
    /// - Parameters:
    ///   - send: The messages.
    ///   - account: The account that sends them.
    init(_ send: inout SendRequest, account: SimulatedAccount) {
        let code = send.text(send.templateCode)
        let template = account.templates?[code]
        kind = template?.kind
        refusal = Self.refusal(forTemplate: template, code: code, account: account)
        guard refusal == nil else { return }
        var values = ValueRules(template: template, account: account)
        var (signName, signNameFinding) = (0..<0, ValueRules.Finding())
        var (parameters, parametersFinding) = (Range<Int>?.none, ValueRules.Finding())
        let templateHash = ContentHash.of(send.bytes.span, send.templateCode)
        for index in send.elements.indices {
            var element = send.elements[index]
            // Messages of a batch mostly share their sign name, and those of a single send all but the number.
            if index == 0 || !Self.equal(send.bytes.span, signName, element.signName) {
                signName = element.signName
                signNameFinding.hash = ContentHash.of(send.bytes.span, signName)
                let name = send.text(signName)
                signNameFinding.refusal = Self.refusal(forSignName: name, template: template, account: account)
            }
            if index == 0 || parameters != element.templateParameters {
                parameters = element.templateParameters
                parametersFinding = values.judge(parameters, in: send.bytes.span)
            }
            let refusal = Self.refusal(forNumberOf: &element, in: send.bytes.span, template: template, account: account)
            element.digest = ContentHash.mix(templateHash ^ element.numberHash, signNameFinding.hash)
            element.digest = ContentHash.mix(element.digest, parametersFinding.hash)
            if let code = element.extensionCode {
                element.digest = ContentHash.mix(element.digest, ContentHash.of(send.bytes.span, code))
            }
            send.elements[index] = element
            if let refusal = signNameFinding.refusal ?? refusal ?? parametersFinding.refusal {
                culprits.append(Culprit(index: index, refusal: refusal))
            }
        }
        judgeExtensionCodes(send)
    }

    // MARK: The template and the sign name

    private static func refusal(forTemplate template: Template?, code: String, account: SimulatedAccount) -> Refusal? {
        guard account.templates != nil else {
            return code.hasPrefix("SMS_") ? nil : .service("isv.SMS_TEMPLATE_ILLEGAL")
        }
        guard let template, template.state == .approved else { return .service("isv.SMS_TEMPLATE_ILLEGAL") }
        let codeVariables = template.variables.filter { template.attributes[$0] != .verifyTime }
        if template.kind == .code, codeVariables.count > 1 { return .service("template_parameter_count_illegal") }
        if account.forbiddenWords.contains(where: { template.content.contains($0) }) {
            return .service("isv.SMS_CONTENT_ILLEGAL")
        }
        if template.kind == .notice, account.promotionWords.contains(where: { template.content.contains($0) }) {
            return .service("isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE")
        }
        return nil
    }

    private static func refusal(forSignName name: String, template: Template?, account: SimulatedAccount) -> Refusal? {
        guard !name.isEmpty, !name.contains(" ") else { return .service("isv.SMS_SIGNATURE_ILLEGAL") }
        guard let signNames = account.signNames else { return nil }
        guard let signName = signNames[name] else { return .service("isv.SMS_SIGNATURE_ILLEGAL") }
        if let code = signName.state.code { return .service(code) }
        if let template, template.isTest != (signName.kind == .test) {
            return .service("isv.SMS_TEST_SIGN_TEMPLATE_LIMIT")
        }
        if signName.kind == .code, template?.kind != .code { return .service("isv.SMS_SIGNATURE_SCENE_ILLEGAL") }
        return nil
    }

    // MARK: The number

    private static func refusal(
        forNumberOf element: inout SendRequest.Element,
        in bytes: Span<UInt8>,
        template: Template?,
        account: SimulatedAccount,
    ) -> Refusal? {
        let isInternational = template?.kind == .international
        let form = PhoneNumberForm(bytes, element.phoneNumber, isForInternationalTemplate: isInternational)
        element.digits = form?.digits ?? element.phoneNumber
        element.numberHash = ContentHash.of(bytes, element.digits)
        guard let form else { return .service("isv.MOBILE_NUMBER_ILLEGAL") }
        if form.isMainland, isInternational { return .service("isv.DOMESTIC_NUMBER_NOT_SUPPORTED") }
        if !form.isMainland, let template, template.kind != .international {
            return .service("isv.MOBILE_NUMBER_ILLEGAL")
        }
        guard !account.numbers.isEmpty || template?.isTest == true else { return nil }
        let state = account.state(of: element, in: bytes)
        if template?.isTest == true, state?.isBoundForTests != true { return .service("isv.SMS_TEST_NUMBER_LIMIT") }
        if let code = state?.refusal { return .named(code) }
        if template?.kind == .promotion, let code = state?.promotionRefusal { return .named(code) }
        return nil
    }

    // MARK: Extension codes

    /// An extension code is digits, and serves one sign name.
    ///
    /// Source: api 3.1, SmsUpExtendCodeJson; api 6.3.
    private mutating func judgeExtensionCodes(_ send: SendRequest) {
        let bytes = send.bytes.span
        var owners: [String: Range<Int>] = [:]
        for (index, element) in send.elements.enumerated() {
            guard let range = element.extensionCode, !range.isEmpty else { continue }
            guard range.count <= 20, range.allSatisfy({ bytes[$0] >= 0x30 && bytes[$0] <= 0x39 }) else {
                culprits.append(Culprit(index: index, refusal: .service("isv.CODE_ERROR")))
                continue
            }
            let owner = owners[send.text(range), default: element.signName]
            owners[send.text(range)] = owner
            if !Self.equal(bytes, owner, element.signName) {
                culprits.append(Culprit(index: index, refusal: .service("isv.EXTEND_CODE_ERROR")))
            }
        }
        guard !owners.isEmpty else { return }
        // A message that breaks two rules is named once, for the first.
        var seen: Set<Int> = []
        culprits = culprits.sorted { $0.index < $1.index }.filter { seen.insert($0.index).inserted }
    }

    private static func equal(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left != right else { return true }
        guard left.count == right.count else { return false }
        for (first, second) in zip(left, right) where bytes[first] != bytes[second] { return false }
        return true
    }
}

extension SimulatedAccount {
    /// The state of the phone number of a message that was judged; `nil` for one that is not listed.
    func state(of element: SendRequest.Element, in bytes: Span<UInt8>) -> NumberState? {
        // For most numbers no text needs to be made.
        guard numberHashes.contains(element.numberHash) else { return nil }
        var text = ""
        for index in element.digits { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
        return numbers[text]
    }
}
