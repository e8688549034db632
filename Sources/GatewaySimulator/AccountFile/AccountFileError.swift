// SPDX-License-Identifier: Apache-2.0

/// Why a text is no account file: where it is wrong, and what should stand there.
package struct AccountFileError: Error, Equatable, CustomStringConvertible {
    /// Where, such as `templates[2].kind`; empty for the whole text.
    package let path: String
    /// What is wrong.
    package let problem: String

    /// The place and the problem in one sentence without its full stop.
    package var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}

/// Reads the members of one object of an account file and knows where it stands.
struct AccountNode {
    private let path: String
    private let members: [JSONValue.Member]

    /// Takes an object.
    ///
    /// - Parameters:
    ///   - value: The value, which must be an object.
    ///   - path: Where it stands.
    ///   - names: The names that its members may have.
    /// - Throws: ``AccountFileError`` if it is no object, or holds a member twice or one that is not known.
    init(_ value: JSONValue, at path: String, knowing names: [String]) throws(AccountFileError) {
        guard case .object(let members) = value else {
            throw AccountFileError(path: path, problem: "must be an object")
        }
        self.path = path
        self.members = members
        for (index, member) in members.enumerated() {
            let place = Self.join(path, member.name)
            guard names.contains(member.name) else {
                let known = names.joined(separator: ", ")
                throw AccountFileError(path: place, problem: "there is no such member; there are \(known)")
            }
            guard !members[..<index].contains(where: { $0.name == member.name }) else {
                throw AccountFileError(path: place, problem: "stands twice")
            }
        }
    }

    /// The error for a member.
    func error(_ name: String, _ problem: String) -> AccountFileError {
        AccountFileError(path: Self.join(path, name), problem: problem)
    }

    /// A member; `nil` if it is absent.
    func value(_ name: String) -> JSONValue? {
        members.first { $0.name == name }?.value
    }

    /// A member that is a text.
    func text(_ name: String) throws(AccountFileError) -> String? {
        switch value(name) {
        case nil: return nil
        case .string(let text): return text
        default: throw error(name, "must be a string")
        }
    }

    /// A member that must be there and must be a text with something in it.
    func requiredText(_ name: String) throws(AccountFileError) -> String {
        guard let text = try text(name), !text.isEmpty else { throw error(name, "is missing or empty") }
        return text
    }

    /// A member that is a whole number, not below zero.
    func count(_ name: String) throws(AccountFileError) -> Int? {
        switch value(name) {
        case nil: return nil
        case .number(let text):
            guard let number = Int(text), number >= 0 else { fallthrough }
            return number
        default: throw error(name, "must be a whole number, not below 0")
        }
    }

    /// A member that is true or false.
    func flag(_ name: String) throws(AccountFileError) -> Bool? {
        switch value(name) {
        case nil: return nil
        case .boolean(let flag): return flag
        default: throw error(name, "must be true or false")
        }
    }

    /// A member that names one of some cases.
    func choice<Choice>(_ name: String) throws(AccountFileError) -> Choice?
    where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
        guard let text = try text(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(name, "“\(text)” is none of \(all)")
        }
        return choice
    }

    /// The elements of a member that is an array, with the place of each.
    func elements(_ name: String) throws(AccountFileError) -> [(place: String, value: JSONValue)]? {
        switch value(name) {
        case nil: return nil
        case .array(let values):
            return values.enumerated().map { ("\(Self.join(path, name))[\($0.offset)]", $0.element) }
        default: throw error(name, "must be an array")
        }
    }

    /// A member that is an array of texts.
    func texts(_ name: String) throws(AccountFileError) -> [String] {
        var texts: [String] = []
        for (place, value) in try elements(name) ?? [] {
            guard case .string(let text) = value, !text.isEmpty else {
                throw AccountFileError(path: place, problem: "must be a string with something in it")
            }
            texts.append(text)
        }
        return texts
    }

    /// A member that is an object of texts, by name.
    func texts(by name: String) throws(AccountFileError) -> [(name: String, text: String)] {
        guard let value = value(name) else { return [] }
        guard case .object(let members) = value else { throw error(name, "must be an object") }
        var texts: [(name: String, text: String)] = []
        for member in members {
            guard case .string(let text) = member.value else {
                throw error("\(name).\(member.name)", "must be a string")
            }
            texts.append((member.name, text))
        }
        return texts
    }

    private static func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }
}
