// SPDX-License-Identifier: Apache-2.0

import MessagePipe

extension SimulatedAccount {
    /// Reads an account file; ``AccountFileSchema/text`` describes its form.
    ///
    /// - Parameter bytes: The file's content.
    /// - Throws: ``AccountFileError`` that says where the file is wrong.
    package init(file bytes: [UInt8]) throws(AccountFileError) {
        let root = try AccountNode(Self.json(bytes), at: "", knowing: AccountFileSchema.memberNames)
        self.init(accessKeys: try Self.accessKeys(root))
        standing = try root.choice("standing") ?? .active
        signNames = try Self.signNames(root)
        templates = try Self.templates(root)
        balance = try root.count("balance")
        dayCap = try root.count("dayCap")
        monthCap = try root.count("monthCap")
        extensionCodeCap = try root.count("extensionCodeCap")
        numbers = try Self.numbers(root)
        numberLimits = try Self.numberLimits(root)
        forbiddenWords = try root.texts("forbiddenWords")
        promotionWords = try root.texts("promotionWords")
    }

    private static func json(_ bytes: [UInt8]) throws(AccountFileError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(bytes)
        } catch {
            throw AccountFileError(path: "", problem: "the file is no JSON: \(error.description)")
        }
    }

    private static func accessKeys(_ root: AccountNode) throws(AccountFileError) -> [String: AccessKey] {
        var keys: [String: AccessKey] = [:]
        for (place, value) in try root.elements("accessKeys") ?? [] {
            let names = ["id", "secret", "state", "securityToken", "expiration"]
            let node = try AccountNode(value, at: place, knowing: names)
            let id = try node.requiredText("id")
            guard keys[id] == nil else { throw node.error("id", "“\(id)” stands twice") }
            var key = AccessKey(secret: try node.requiredText("secret"))
            key.state = try node.choice("state") ?? .active
            key.securityToken = try node.text("securityToken")
            if let text = try node.text("expiration") {
                guard let time = WallTime(timestamp: text) else {
                    throw node.error("expiration", "must be a UTC time such as 2026-11-24T08:00:00Z")
                }
                key.expiration = time
            }
            keys[id] = key
        }
        guard !keys.isEmpty else {
            throw root.error("accessKeys", "must hold at least one {\"id\":…,\"secret\":…}")
        }
        return keys
    }

    private static func signNames(_ root: AccountNode) throws(AccountFileError) -> [String: SignName]? {
        guard let elements = try root.elements("signNames") else { return nil }
        var signNames: [String: SignName] = [:]
        for (place, value) in elements {
            let node = try AccountNode(value, at: place, knowing: ["name", "state", "kind"])
            let name = try node.requiredText("name")
            guard signNames[name] == nil else { throw node.error("name", "“\(name)” stands twice") }
            var signName = SignName()
            signName.state = try node.choice("state") ?? .approved
            signName.kind = try node.choice("kind") ?? .general
            signNames[name] = signName
        }
        return signNames
    }

    private static func templates(_ root: AccountNode) throws(AccountFileError) -> [String: Template]? {
        guard let elements = try root.elements("templates") else { return nil }
        var templates: [String: Template] = [:]
        for (place, value) in elements {
            let names = ["code", "name", "content", "kind", "state", "test", "variables", "maximumValueCharacters"]
            let node = try AccountNode(value, at: place, knowing: names)
            let code = try node.requiredText("code")
            guard templates[code] == nil else { throw node.error("code", "“\(code)” stands twice") }
            guard let kind: Template.Kind = try node.choice("kind") else { throw node.error("kind", "is missing") }
            var template = Template(
                name: try node.text("name") ?? code,
                content: try node.requiredText("content"),
                kind: kind,
            )
            template.state = try node.choice("state") ?? .approved
            template.isTest = try node.flag("test") ?? false
            template.maximumValueCharacters = try node.count("maximumValueCharacters") ?? 35
            template.attributes = try attributes(node, of: template)
            templates[code] = template
        }
        return templates
    }

    private static func attributes(
        _ node: AccountNode,
        of template: Template,
    ) throws(AccountFileError) -> [String: VariableAttribute] {
        var attributes: [String: VariableAttribute] = [:]
        for (name, text) in try node.texts(by: "variables") {
            guard template.variables.contains(name) else {
                throw node.error("variables.\(name)", "the content has no ${\(name)}")
            }
            guard let attribute = VariableAttribute(rawValue: text) else {
                let all = VariableAttribute.allCases.map(\.rawValue).joined(separator: ", ")
                throw node.error("variables.\(name)", "“\(text)” is none of \(all)")
            }
            attributes[name] = attribute
        }
        return attributes
    }

    private static func numbers(_ root: AccountNode) throws(AccountFileError) -> [String: NumberState] {
        var numbers: [String: NumberState] = [:]
        for (place, value) in try root.elements("numbers") ?? [] {
            let names = [
                "number", "blocked", "optedOut", "refusal", "outcome", "reportDelay", "boundForTests", "exempt",
            ]
            let node = try AccountNode(value, at: place, knowing: names)
            let text = try node.requiredText("number")
            guard let digits = PhoneNumberForm.digits(of: text) else {
                throw node.error("number", "“\(text)” is no phone number")
            }
            guard numbers[digits] == nil else { throw node.error("number", "“\(text)” stands twice") }
            numbers[digits] = try state(node)
        }
        return numbers
    }

    private static func state(_ node: AccountNode) throws(AccountFileError) -> NumberState {
        var state = NumberState()
        if try node.flag("blocked") == true { state.refusal = "isv.BLACK_KEY_CONTROL_LIMIT" }
        if try node.flag("optedOut") == true { state.promotionRefusal = "isv.CUSTOMER_REFUSED" }
        state.refusal = try node.text("refusal") ?? state.refusal
        state.isBoundForTests = try node.flag("boundForTests") ?? false
        state.isExemptFromLimits = try node.flag("exempt") ?? false
        if let text = try node.text("reportDelay") {
            guard let delay = DurationText.parse(text) else {
                throw node.error("reportDelay", "must be a time such as 500ms or 5s")
            }
            state.reportDelay = delay
        }
        switch try node.text("outcome") {
        case nil, "delivered": break
        case "silent": state.outcome = .silent
        case let text? where text.hasPrefix("failed:") && text.utf8.count > 7:
            state.outcome = .failed(String(text.dropFirst(7)))
        default: throw node.error("outcome", "must be delivered, silent, or failed:CODE")
        }
        return state
    }

    private static func numberLimits(_ root: AccountNode) throws(AccountFileError) -> NumberLimits {
        guard let value = root.value("numberLimits") else { return .service }
        if case .string(let text) = value {
            guard let limits = NumberLimits(text: text) else {
                throw root.error("numberLimits", "must be none, service, or an object")
            }
            return limits
        }
        let node = try AccountNode(value, at: "numberLimits", knowing: ["code", "notice", "promotion"])
        func limit(_ kind: String) throws(AccountFileError) -> NumberLimits.Limit {
            guard let value = node.value(kind) else { return NumberLimits.Limit() }
            let node = try AccountNode(value, at: "numberLimits.\(kind)", knowing: ["minute", "hour", "day"])
            return NumberLimits.Limit(
                minute: try node.count("minute"),
                hour: try node.count("hour"),
                day: try node.count("day"),
            )
        }
        return NumberLimits(code: try limit("code"), notice: try limit("notice"), promotion: try limit("promotion"))
    }
}
