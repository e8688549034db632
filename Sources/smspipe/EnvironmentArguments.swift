// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Options from the environment: `SMSPIPE_BATCH_SIZE=50` stands for `--batch-size=50`, unless the option itself is given.
struct EnvironmentArguments {
    private let environment: [String: String]

    init(environment: [String: String]) {
        self.environment = environment
    }

    /// The arguments with those options in front that only the environment gives.
    func adding(to arguments: [String]) -> [String] {
        var own = arguments[...]
        var subcommand: [String] = []
        if let first = own.first, Smspipe.configuration.subcommands.contains(where: { $0._commandName == first }) {
            subcommand = [first]
            own = own.dropFirst()
        } else if own.first == "help" {
            return arguments
        }
        guard subcommand.isEmpty || subcommand == [SendCommand._commandName] else { return arguments }
        let given = own.prefix { $0 != "--" }
        let added = SendCommand.optionNames.compactMap { name, isFlag -> String? in
            guard let value = environment[variable(name)], !value.isEmpty,
                !given.contains(where: { $0 == "--\(name)" || $0.hasPrefix("--\(name)=") })
            else { return nil }
            guard isFlag else { return "--\(name)=\(value)" }
            return ["0", "false", "no", "off"].contains(value.lowercased()) ? nil : "--\(name)"
        }
        return subcommand + added + own
    }

    private func variable(_ option: String) -> String {
        "SMSPIPE_" + String(option.uppercased().map { $0 == "-" ? "_" : $0 })
    }
}
