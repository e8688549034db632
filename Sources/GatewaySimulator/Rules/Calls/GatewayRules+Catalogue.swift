// SPDX-License-Identifier: Apache-2.0

/// The calls that show the account's templates and sign names.
///
/// Source: api 4.4, whose numbers differ from call to call.
extension GatewayRules {
    /// When all templates and sign names were created; the account file does not say.
    private static let createDate = "2024-01-01 00:00:00"

    /// Answers GetSmsTemplate.
    ///
    /// - Throws: The ``Refusal`` for a template that the account lacks.
    func getTemplate(_ parameters: ParameterList) throws(Refusal) -> [(name: String, value: AnswerValue)] {
        let code = try parameters.required("TemplateCode")
        let template = try template(code)
        let attributes = template.attributes.sorted { $0.key < $1.key }.map {
            (name: $0.key, value: AnswerValue.string($0.value.rawValue))
        }
        var attributeText: [UInt8] = []
        AnswerValue.members(attributes).appendJSON(to: &attributeText)
        return [
            ("TemplateCode", .string(code)), ("TemplateName", .string(template.name)),
            ("TemplateContent", .string(template.content)), ("TemplateStatus", .string("\(template.state.number)")),
            ("TemplateType", .string("\(template.kind.number)")), ("TemplateTag", .integer(template.isTest ? 4 : 2)),
            ("VariableAttribute", .string(String(decoding: attributeText, as: UTF8.self))),
            ("AuditInfo", .members([("AuditDate", .string(Self.createDate)), ("RejectInfo", .string(""))])),
            ("CreateDate", .string(Self.createDate)),
        ]
    }

    /// Answers QuerySmsTemplate.
    ///
    /// - Throws: The ``Refusal`` for a template that the account lacks.
    func queryTemplate(_ parameters: ParameterList) throws(Refusal) -> [(name: String, value: AnswerValue)] {
        let code = try parameters.required("TemplateCode")
        let template = try template(code)
        return [
            ("TemplateCode", .string(code)), ("TemplateName", .string(template.name)),
            ("TemplateContent", .string(template.content)), ("TemplateStatus", .integer(template.state.number)),
            ("TemplateType", .integer(template.kind.number)), ("Reason", .string("")),
            ("CreateDate", .string(Self.createDate)),
        ]
    }

    /// Answers QuerySmsTemplateList.
    ///
    /// - Throws: The ``Refusal`` for a wrong page.
    func templateList(_ parameters: ParameterList) throws(Refusal) -> [(name: String, value: AnswerValue)] {
        let all = (account.templates ?? [:]).sorted { $0.key < $1.key }
        let page = try Page(parameters, of: all.count)
        let list = all[page.range].map { code, template -> AnswerValue in
            .members([
                ("TemplateCode", .string(code)), ("TemplateName", .string(template.name)),
                ("TemplateContent", .string(template.content)), ("AuditStatus", .string(template.state.auditText)),
                ("TemplateType", .integer(template.kind.listNumber)),
                ("OuterTemplateType", .integer(template.kind.number)),
                ("Reason", .members([("RejectInfo", .string(""))])), ("CreateDate", .string(Self.createDate)),
            ])
        }
        return page.members + [("SmsTemplateList", .list(list, element: "SmsTemplateList"))]
    }

    /// Answers GetSmsSign.
    ///
    /// - Throws: The ``Refusal`` for a sign name that the account lacks.
    func getSignName(_ parameters: ParameterList) throws(Refusal) -> [(name: String, value: AnswerValue)] {
        let name = try parameters.required("SignName")
        let signName = try signName(name)
        let operators = ["mobile", "unicom", "telecom"].map { code -> AnswerValue in
            .members([
                ("OperatorCode", .string(code)), ("RegisterStatus", .integer(signName.state == .approved ? 3 : -2)),
            ])
        }
        return [
            ("SignName", .string(name)), ("SignStatus", .integer(signName.state.number)),
            ("SignTag", .string(signName.kind == .test ? "4" : "2")), ("CreateDate", .string(Self.createDate)),
            ("AuditInfo", .members([("AuditDate", .string(Self.createDate)), ("RejectInfo", .string(""))])),
            ("SignIspRegisterDetailList", .list(operators, element: "SignIspRegisterDetailList")),
        ]
    }

    /// Answers QuerySmsSign.
    ///
    /// - Throws: The ``Refusal`` for a sign name that the account lacks.
    func querySignName(_ parameters: ParameterList) throws(Refusal) -> [(name: String, value: AnswerValue)] {
        let name = try parameters.required("SignName")
        return [
            ("SignName", .string(name)), ("SignStatus", .integer(try signName(name).state.number)),
            ("Reason", .string("")), ("CreateDate", .string(Self.createDate)),
        ]
    }

    /// Answers QuerySmsSignList.
    ///
    /// - Throws: The ``Refusal`` for a wrong page.
    func signNameList(_ parameters: ParameterList) throws(Refusal) -> [(name: String, value: AnswerValue)] {
        let all = (account.signNames ?? [:]).sorted { $0.key < $1.key }
        let page = try Page(parameters, of: all.count)
        let list = all[page.range].map { name, signName -> AnswerValue in
            .members([
                ("SignName", .string(name)), ("AuditStatus", .string(signName.state.auditText)),
                ("BusinessType", .string(signName.kind == .code ? "验证码类型" : "通用类型")),
                ("Reason", .members([("RejectInfo", .string(""))])), ("CreateDate", .string(Self.createDate)),
                ("authorizationLetterAuditPass", .boolean(true)),
            ])
        }
        return page.members + [("SmsSignList", .list(list, element: "SmsSignList"))]
    }

    private func template(_ code: String) throws(Refusal) -> Template {
        if let template = account.templates?[code] { return template }
        // An account without templates of its own takes any.
        guard account.templates == nil, code.hasPrefix("SMS_") else { throw .service("isv.SMS_TEMPLATE_ILLEGAL") }
        return Template(name: code, content: "", kind: .notice)
    }

    private func signName(_ name: String) throws(Refusal) -> SignName {
        if let signName = account.signNames?[name] { return signName }
        guard account.signNames == nil else { throw .service("isv.SMS_SIGNATURE_ILLEGAL") }
        return SignName()
    }
}

/// One page of a list.
///
/// Source: api 4.4, PageIndex (default 1) and PageSize (1 to 50, default 10).
struct Page: Equatable, Sendable {
    private let index: Int
    private let size: Int
    private let count: Int

    /// Reads which page is wanted.
    ///
    /// - Throws: The ``Refusal`` for an index or a size out of range.
    init(_ parameters: ParameterList, of count: Int) throws(Refusal) {
        index =
            parameters.range(of: "PageIndex") == nil
            ? 1 : try parameters.requiredInteger("PageIndex", in: 1...1_000_000)
        size = parameters.range(of: "PageSize") == nil ? 10 : try parameters.requiredInteger("PageSize", in: 1...50)
        self.count = count
    }

    /// Where the page stands in the list.
    var range: Range<Int> {
        let start = min((index - 1) * size, count)
        return start..<min(start + size, count)
    }

    /// What the answer says of the page.
    var members: [(name: String, value: AnswerValue)] {
        [("CurrentPage", .integer(index)), ("PageSize", .integer(size)), ("TotalCount", .integer(count))]
    }
}

extension Template.Kind {
    /// The number of the kind in most calls.
    ///
    /// Source: api 4.4, TemplateType of GetSmsTemplate.
    var number: Int {
        switch self {
        case .code: 0
        case .notice: 1
        case .promotion: 2
        case .international: 3
        }
    }

    /// The number of the kind in QuerySmsTemplateList.
    ///
    /// Source: api 4.4.
    var listNumber: Int {
        switch self {
        case .notice: 0
        case .promotion: 1
        case .code: 2
        case .international: 6
        }
    }
}

extension Template.State {
    /// The number of the state.
    ///
    /// Source: api 4.4, TemplateStatus.
    var number: Int {
        switch self {
        case .inReview: 0
        case .approved: 1
        case .rejected: 2
        case .cancelled: 10
        }
    }

    /// The state in QuerySmsTemplateList, with the service's own misspelling.
    ///
    /// Source: api 4.4.
    var auditText: String {
        switch self {
        case .inReview: "AUDIT_STATE_INIT"
        case .approved: "AUDIT_STATE_PASS"
        case .rejected: "AUDIT_STATE_NOT_PASS"
        case .cancelled: "AUDIT_SATE_CANCEL"
        }
    }
}

extension SignName.State {
    /// The number of the state.
    ///
    /// Source: api 4.4, SignStatus.
    var number: Int {
        switch self {
        case .inReview: 0
        case .approved: 1
        case .rejected, .forbidden, .misnamed, .blacklisted, .blacklistedOld: 2
        case .cancelled, .unavailable: 10
        }
    }

    /// The state in QuerySmsSignList.
    ///
    /// Source: api 4.4.
    var auditText: String {
        switch number {
        case 0: "AUDIT_STATE_INIT"
        case 1: "AUDIT_STATE_PASS"
        case 2: "AUDIT_STATE_NOT_PASS"
        default: "AUDIT_STATE_CANCEL"
        }
    }
}
