// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Options from the environment: `SMSPIPE_BATCH_SIZE=50` stands for `--batch-size=50`, unless the option itself is given.
struct EnvironmentArguments {
    private static let prefix = "SMSPIPE_"

    private let environment: [String: String]

    init(environment: [String: String]) {
        self.environment = environment
    }

    /// The arguments with those options in front that only the environment gives.
    ///
    /// - Throws: The exit status, for a flag that is neither on nor off, and for a variable that is nearly one of ours.
    func adding(to arguments: [String]) throws -> [String] {
        guard environment.keys.contains(where: { $0.hasPrefix(Self.prefix) }) else { return arguments }
        var own = arguments[...]
        var subcommand: [String] = []
        if let first = own.first, Smspipe.configuration.subcommands.contains(where: { $0._commandName == first }) {
            subcommand = [first]
            own = own.dropFirst()
        } else if own.first == "help" {
            return arguments
        }
        let given = own.prefix { $0 != "--" }
        // What is wrong in the environment is a reason to ask for help.
        guard !given.contains(where: { ["--help", "-h", "--version"].contains($0) }) else { return arguments }
        try checkSpelling()
        let added = try optionNames(of: subcommand.first).compactMap { name, isFlag -> String? in
            guard let value = environment[variable(name)], !value.isEmpty,
                !Self.gives(given, name)
            else { return nil }
            guard isFlag else { return "--\(name)=\(value)" }
            switch value.lowercased() {
            case "1", "true", "yes", "on": return "--\(name)"
            case "0", "false", "no", "off": return nil
            // A mistyped "no" must not be a yes.
            default: throw end(.usage, "\(variable(name)) is neither on nor off; give 1 or 0.")
            }
        }
        return subcommand + added + own
    }

    /// Refuses a variable that is nearly one of ours: whoever has mistyped `DRY_RUN` would send.
    private func checkSpelling() throws {
        let options = Set(Smspipe.commandNames.flatMap(optionNames).map(\.name))
        let known = Set(options.map(variable))
        for name in environment.keys.sorted() where name.hasPrefix(Self.prefix) && !known.contains(name) {
            let own = String(name.dropFirst(Self.prefix.count))
            // A word more is a variable of somebody else's.
            let joined = own.lowercased().filter { $0 != "_" }
            let alike = options.filter { option in
                option.count { $0 == "-" } == own.count { $0 == "_" } || option.filter { $0 != "-" } == joined
            }
            guard let option = Spelling.nearest(to: own, among: alike) else { continue }
            throw end(.usage, "\(name) is no variable of smspipe; did you mean \(variable(option))?")
        }
    }

    /// The variable that gave an option which an error speaks of; `nil` if it was given itself.
    func variable(in error: String, arguments: [String]) -> String? {
        guard let start = error.firstRange(of: "'--")?.upperBound else { return nil }
        let option = String(error[start...].prefix { $0.isASCII && ($0.isLetter || $0 == "-") })
        let name = variable(option)
        return environment[name] != nil && !Self.gives(arguments, option) ? name : nil
    }

    private static func gives(_ arguments: some Sequence<String>, _ option: String) -> Bool {
        arguments.contains { $0 == "--\(option)" || $0.hasPrefix("--\(option)=") }
    }

    /// The options that the environment can give to a subcommand.
    private func optionNames(of subcommand: String?) -> [(name: String, isFlag: Bool)] {
        switch subcommand {
        case nil, SendCommand._commandName: SendCommand.optionNames
        case StatusCommand._commandName: StatusCommand.optionNames
        case ReceiptsCommand._commandName: ReceiptsCommand.optionNames
        case SimulateCommand._commandName: SimulateCommand.optionNames
        case JournalCommand._commandName: JournalCommand.optionNames
        case ExplainCommand._commandName: ExplainCommand.optionNames
        default: []
        }
    }

    private func variable(_ option: String) -> String {
        Self.prefix + String(option.uppercased().map { $0 == "-" ? "_" : $0 })
    }
}
