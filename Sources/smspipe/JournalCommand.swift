// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import ArgumentParser
import MessagePipe
import PipeRuntime

/// Says what a journal knows, and makes it shorter.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Say what a journal knows: messages by outcome, times, and which are unknown.",
        discussion: """
            Lines are those of the input of the run that sent the message. A message that
            may have left and has no answer yet is looked up by the next run; one that was
            not taken is sent by it.

            Exit status: 0; 64 wrong usage; 66 the file cannot be read or is no journal;
            73 --compact, and a run has it; 74 damaged, or reading or writing failed.
            """,
    )

    /// The options that the environment can give, and whether they are flags.
    static let optionNames: [(name: String, isFlag: Bool)] = [("json", true), ("compact", true)]

    @Flag(help: "Print the summary as one JSON line.")
    var json = false

    @Flag(help: "Rewrite the journal without what was withdrawn and tried again; it says the same of all messages.")
    var compact = false

    @Argument(help: ArgumentHelp("The journal.", valueName: "file"), completion: .file())
    var file: String

    func run() throws {
        var summary = JournalSummary()
        do throws(JournalError) {
            if compact { try rewrite() }
            let tornByteCount = try JournalFile.read(file, on: SystemStorage()) { summary.apply($0) }
            if tornByteCount > 0 {
                printDiagnostic("\(file): the last \(tornByteCount) bytes are torn or being written, and are left out.")
            }
        } catch {
            let failure = JournalFailure(error, path: file, for: .command)
            throw end(failure.status, failure.text)
        }
        try writeLine(json ? line(summary) : text(summary))
    }

    private func rewrite() throws(JournalError) {
        var compaction = JournalCompaction()
        let (journal, tornByteCount) = try JournalFile.open(file, on: SystemStorage(), creates: false) {
            compaction.apply($0)
        }
        if tornByteCount > 0 { printDiagnostic("\(file): the last \(tornByteCount) bytes were torn, and are cut off.") }
        let content = compaction.content()
        if !content.isEmpty { try journal.replace(with: content, token: .random(in: .min ... .max)) }
    }

    // MARK: - Text

    private func text(_ summary: JournalSummary) -> String {
        let endpoint = summary.head?.endpoint ?? "nowhere yet"
        var lines = ["\(summary.messages) messages in \(summary.requests) requests to \(endpoint)"]
        lines.append("  first     \(time(summary.firstTime) ?? "never")")
        lines.append("  last      \(time(summary.lastTime) ?? "never")")
        lines.append("  accepted  \(summary[.accepted])")
        lines.append("  rejected  \(summary[.rejected])")
        lines.append("  unknown   \(summary[.unknown])")
        lines.append("  open      \(summary.open)\(summary.open > 0 ? ", to be looked up by the next run" : "")")
        lines.append("  not sent  \(summary.unsent)\(summary.unsent > 0 ? ", to be sent by the next run" : "")")
        for message in summary.uncertainMessages {
            let state = message.isAnswered ? "unknown: " : "open:    "
            lines.append("  \(state) line \(message.line) in \(message.batchID)")
        }
        return lines.joined(separator: "\n")
    }

    private func line(_ summary: JournalSummary) -> String {
        var text = Array("{\"Messages\":\(summary.messages),\"Requests\":\(summary.requests)".utf8)
        text.append(contentsOf: ",\"Accepted\":\(summary[.accepted]),\"Rejected\":\(summary[.rejected])".utf8)
        text.append(contentsOf: ",\"Unknown\":\(summary[.unknown]),\"Open\":\(summary.open)".utf8)
        text.append(contentsOf: ",\"NotSent\":\(summary.unsent),\"FirstTime\":".utf8)
        JSONText.appendString(time(summary.firstTime), to: &text)
        text.append(contentsOf: ",\"LastTime\":".utf8)
        JSONText.appendString(time(summary.lastTime), to: &text)
        text.append(contentsOf: ",\"Endpoint\":".utf8)
        JSONText.appendString(summary.head?.endpoint, to: &text)
        text.append(contentsOf: ",\"Uncertain\":[".utf8)
        for (index, message) in summary.uncertainMessages.enumerated() {
            text.append(contentsOf: "\(index > 0 ? "," : ""){\"Line\":\(message.line),\"BatchId\":".utf8)
            JSONText.appendString(message.batchID, to: &text)
            text.append(contentsOf: ",\"Outcome\":\(message.isAnswered ? "\"unknown\"" : "null")}".utf8)
        }
        text.append(contentsOf: "]}".utf8)
        return String(decoding: text, as: UTF8.self)
    }

    private func time(_ milliseconds: Int64?) -> String? {
        milliseconds.map { CivilTime(epochSeconds: Int($0 / 1000)).iso8601 }
    }
}
