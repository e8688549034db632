// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import ArgumentParser
import MessagePipe

/// Says what an error code means, whom it concerns and what to do.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what an error code means, whom it concerns and what to do.",
        discussion: """
            A code that is not known is explained by what its beginning says.

            Exit status: 0; 64 wrong usage; 74 writing failed.
            """,
    )

    /// The options that the environment can give, and whether they are flags.
    static let optionNames: [(name: String, isFlag: Bool)] = [("json", true)]

    @Flag(help: "Print the entry, or without a code the whole table, as JSON lines.")
    var json = false

    @Argument(help: ArgumentHelp("The code, such as isv.BUSINESS_LIMIT_CONTROL.", valueName: "code"))
    var code: String?

    func validate() throws {
        guard code?.isEmpty ?? !json else { return }
        throw ValidationError("Give a code, or --json for the whole table.")
    }

    func run() throws {
        guard let code else {
            for entry in CodeTable.entries { try writeLine(line(entry, code: entry.code)) }
            return
        }
        let entry = CodeTable.entry(for: code)
        if entry.isPrefix, let known = Self.nearest(to: code) { printDiagnostic("did you mean \(known)?") }
        guard !json else {
            try writeLine(line(entry, code: code))
            return
        }
        try writeLine(
            """
            \(code)
              meaning   \(entry.meaning)
              concerns  \(concern(entry))
              to do     \(entry.remedy)
              safe      \(entry.isSafeToRetry ? "nothing was sent" : "it may have been sent")
            """
        )
    }

    /// The code that was meant by one that is not known, maybe without its beginning.
    private static func nearest(to code: String) -> String? {
        let known = CodeTable.entries.lazy.filter { !$0.isPrefix }.map(\.code)
        return ["", "isv.", "isp.", "smspipe."].lazy.compactMap { Spelling.nearest(to: $0 + code, among: known) }.first
    }

    private func concern(_ entry: CodeEntry) -> String {
        switch entry.codeClass {
        case .success: "nobody: the messages were taken"
        case .message: "one message of the request"
        case .batch: "all messages of the request"
        case .batchOrMessage: "one message, or all that share its sign name or extension code"
        case .credentials: "the access key: nothing can be sent with it"
        case .account: "the account: nothing can be sent from it"
        case .throttle: "the sending rate"
        case .stale: "the request's time stamp or security token"
        case .unknownRefusal, .ambiguous: "the request: it is open whether it was taken"
        case nil: "the line that smspipe answered with it"
        }
    }

    private func line(_ entry: CodeEntry, code: String) -> String {
        var text = Array("{\"Code\":".utf8)
        JSONText.appendString(code, to: &text)
        text.append(contentsOf: ",\"Origin\":".utf8)
        JSONText.appendString(entry.origin.rawValue, to: &text)
        text.append(contentsOf: ",\"Class\":".utf8)
        JSONText.appendString(entry.codeClass.map { "\($0)" }, to: &text)
        text.append(contentsOf: ",\"Meaning\":".utf8)
        JSONText.appendString(entry.meaning, to: &text)
        text.append(contentsOf: ",\"Remedy\":".utf8)
        JSONText.appendString(entry.remedy, to: &text)
        text.append(contentsOf: ",\"SafeToRetry\":\(entry.isSafeToRetry),\"HTTP\":\(entry.httpStatuses)}".utf8)
        return String(decoding: text, as: UTF8.self)
    }
}
