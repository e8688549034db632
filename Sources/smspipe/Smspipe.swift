// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CSupport
import Glibc
import PipeRuntime

/// The command: picks the subcommand, and turns the environment's options into arguments first.
@main
struct Smspipe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "smspipe",
        abstract: "Sends SMS through Alibaba Cloud: JSON lines in, one response line per message out.",
        version: "0.1.0",
        subcommands: [
            SendCommand.self, StatusCommand.self, ReceiptsCommand.self, SimulateCommand.self, JournalCommand.self,
            ExplainCommand.self,
        ],
        defaultSubcommand: SendCommand.self,
    )

    /// The names of the subcommands.
    static var commandNames: [String] { configuration.subcommands.map { $0._commandName } }

    static func main() {
        // A closed output is told by EPIPE, not by a signal that ends the process with answers under way.
        _ = signal(SIGPIPE, SIG_IGN)
        reserveStandardDescriptors()
        // As it is at the start, but for good: glibc raises it to the size of what is freed, buffers then come to lie among
        // what is small, and the holes that they leave grow over millions of messages.
        _ = mallopt(M_MMAP_THRESHOLD, 128 << 10)
        var arguments = Array(CommandLine.arguments.dropFirst())
        // The filter is what people mean who ask for help without naming a subcommand.
        if arguments == ["--help"] || arguments == ["-h"] { arguments.insert(SendCommand._commandName, at: 0) }
        let environment = EnvironmentArguments(environment: processEnvironment)
        do {
            var command = try parsed(environment.adding(to: arguments))
            try command.run()
        } catch {
            end(with: error, arguments, environment)
        }
    }

    /// Ends the process with an error's status, and with its text where it has one: help and the version on standard output.
    private static func end(
        with error: any Error,
        _ arguments: [String],
        _ environment: EnvironmentArguments,
    ) -> Never {
        // First, as to find what a text would be takes a thirtieth of a short run.
        if let ending = error as? ExitCode { Glibc.exit(ending.rawValue) }
        var status = exitCode(for: error)
        if status == .success {
            do throws(ExitCode) {
                try writeLine(fullMessage(for: error))
            } catch {
                status = error
            }
        } else {
            let text = fullMessage(for: error)
            writeToStandardError(text + "\n")
            if let form = ValueForm(in: text) { writeToStandardError("  \(form.text)\n") }
            if let variable = environment.variable(in: text, arguments: arguments) {
                writeToStandardError("  It comes from \(variable) in the environment.\n")
            }
        }
        Glibc.exit(status.rawValue)
    }

    /// The command that the arguments call for.
    ///
    /// The filter is parsed by itself first, unless another is named: to go through the tree of commands takes a short run
    /// longer than all its work. Requests for help and mistakes are the tree's to answer.
    private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
        if !namesCommand(arguments.first), let command = try? SendCommand.parse(arguments) { return command }
        return try parseAsRoot(arguments)
    }

    private static func namesCommand(_ argument: String?) -> Bool {
        guard let argument, !argument.hasPrefix("-") else { return false }
        return argument == "help" || configuration.subcommands.contains { $0._commandName == argument }
    }
}

/// Sees that standard input, output and error are taken, should they have been closed by whoever started the process.
///
/// Else the next socket or file would get their numbers, and response lines would go there. They are opened the wrong way
/// round, so that reading and writing fail as they do on closed ones.
private func reserveStandardDescriptors() {
    let descriptors = [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
    for (descriptor, mode) in descriptors where fcntl(descriptor, F_GETFD) < 0 {
        // `open` takes the lowest free number, which is this one.
        _ = unsafe open("/dev/null", mode)
    }
}

/// The environment's variables.
let processEnvironment: [String: String] = {
    var variables: [String: String] = [:]
    // Few environments have more.
    variables.reserveCapacity(64)
    var next = unsafe environ
    while let entry = unsafe next.pointee {
        let text = unsafe String(cString: entry)
        if let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) {
            variables[String(text[..<equals])] = String(text[text.utf8.index(after: equals)...])
        }
        unsafe next += 1
    }
    return variables
}()
