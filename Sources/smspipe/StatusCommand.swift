// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import ArgumentParser
import Glibc
import MessagePipe
import PipeRuntime

/// A filter over response lines: adds what became of each message.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Ask what became of the messages of response lines, and write each line with the answer.",
        usage: "smspipe status [options] [file …]",
        discussion: """
            Reads what smspipe has written, and adds three members to each line:
              "SendStatus"   delivered, failed, or waiting for the carrier's receipt;
                             null if it was never sent, not found, or not answered
              "ErrCode"      the carrier's code, or null
              "ReceiveDate"  when the receipt came, in China time, or null
            Lines keep their order and all else that they say. What was never sent is
            passed on, and so is what an earlier run has found delivered or failed. A
            line with Outcome unknown whose message is found by its BatchId becomes
            accepted; not found never means not sent.

              smspipe status responses.jsonl | jq -c 'select(.SendStatus == "failed")'
              smspipe < messages.jsonl | smspipe status --wait 5m > statuses.jsonl

            A message is asked about on the day of its SendDate, and, if it is not found
            there, on the day after and the day before. The service keeps records for 30
            days. An unknown line that brought its own OutId stays unknown: another message
            may have the same. Lines written with --no-echo have no number and cannot be
            looked up.

            Every option can also be given in the environment: SMSPIPE_ and its name in
            capitals, such as SMSPIPE_WAIT=5m; the option wins. Credentials are those of
            smspipe send, and need dysms:QuerySendDetails.

            TERM, INT and HUP end the reading: lines that were read come out with what is
            known. USR1 prints the summary so far.

            Exit status:
            0    all delivered (or planned only)
            1    all answered; some failed, were never sent, or cannot be looked up
            3    some are waiting, not found or unknown: look again later
            64   wrong usage
            66   a FILE cannot be read
            69   the gateway cannot be reached, or the account is closed
            70   a bug in smspipe
            74   reading or writing failed
            77   credentials missing, wrong or not permitted
            78   bad configuration: endpoint, CA file, proxy
            129, 130, 141, 143   ended by HUP, INT, PIPE, TERM
            """,
    )

    /// The options that the environment can give, and whether they are flags.
    static let optionNames: [(name: String, isFlag: Bool)] = [
        ("wait", false), ("max-line", false), ("window", false), ("concurrency", false), ("rate", false),
        ("endpoint", false), ("allow-http", true), ("ca-file", false), ("signature", false), ("profile", false),
        ("timeout", false), ("summary", true), ("fail-on", false),
    ]

    @Option(
        help: ArgumentHelp(
            "How long after its line was read a message is asked about again, with growing pauses, until it is delivered or failed.",
            valueName: "time",
        )
    )
    var wait = TimeSpan(.zero)

    @Option(help: ArgumentHelp("The longest line that is accepted, 256MiB at most.", valueName: "bytes"))
    var maxLine = ByteCount(2 << 20)

    @Option(help: "The most lines that are read and not yet written, 1 to 4000000.")
    var window = 20000

    @Option(help: "The most look-ups under way.")
    var concurrency = 64

    @Option(help: ArgumentHelp("The most look-ups a second, such as 500/s.", valueName: "rate"))
    var rate: MessageRate?

    @Option(help: ArgumentHelp("Where requests go.", valueName: "url"))
    var endpoint = SendCommand.defaultEndpoint

    @Flag(help: "Accept an http endpoint that is not on this machine: numbers and key id travel in the clear.")
    var allowHttp = false

    @Option(
        help: ArgumentHelp("A PEM file with further certificates to trust.", valueName: "file"),
        completion: .file(),
    )
    var caFile: String?

    @Option(help: "How requests are signed.")
    var signature = SendCommand.Signature.v3

    @Option(help: "The profile to take from the files that hold credentials.")
    var profile: String?

    @Option(help: ArgumentHelp("How long an answer is awaited.", valueName: "time"))
    var timeout = TimeSpan(.seconds(10))

    @Flag(help: "Print a summary as one JSON line on standard error.")
    var summary = false

    @Option(help: "Which of 1 and 3 make the exit status non-zero: both, 3 only, or none.")
    var failOn = ExitStatus.FailOn.any

    @Argument(
        help: ArgumentHelp("Files to read; - is standard input, which is read if none is given.", valueName: "file"),
        completion: .file(),
    )
    var files: [String] = []

    func validate() throws {
        try checkBounds(window: window, concurrency: concurrency, maxLine: maxLine, timeout: timeout)
    }

    func run() throws {
        let environment = processEnvironment
        Signals.block([SIGUSR1])
        let inputs = try openInputs(files)
        // What is wrong here is told before another machine is asked for credentials.
        _ = try proxy(for: gatewayEndpoint(endpoint, allowsHTTP: allowHttp), caFile: caFile, environment)
        let found = try findCredentials(
            environment,
            profile: profile,
            caFile: caFile,
            orElse: "or try it without an account: smspipe simulate.",
        )
        // Not before: opening a pipe waits for who writes to it, and is left by a signal as it is in any program.
        Signals.block([SIGTERM, SIGINT, SIGHUP])
        let configuration = try statusConfiguration(environment, found)
        let signals = RunSignals()
        let result = StatusPipe.run(
            configuration,
            inputs: inputs,
            outputDescriptor: STDOUT_FILENO,
            stopped: { [endpoint] stop in
                // At once: the input may go on for days, and its lines say nothing of it.
                if let text = StopText(stop, endpoint: endpoint, sends: false).text { printDiagnostic(text) }
            },
        ) { run in
            signals.begin { number in
                guard number == SIGUSR1 else { return run.end(bySignal: number) }
                run.report { signals.write($0.summaryLine) }
            }
        }
        signals.end()
        report(result)
        throw ExitCode(ExitStatus.status(of: result, failOn: failOn))
    }

    private func statusConfiguration(
        _ environment: [String: String],
        _ found: CredentialsChain.Found,
    ) throws -> StatusConfiguration {
        let endpoint = try gatewayEndpoint(endpoint, allowsHTTP: allowHttp)
        return StatusConfiguration(
            wait: wait.duration,
            window: window,
            concurrency: concurrency,
            maximumLookUpsPerSecond: rate?.messagesPerSecond,
            timeout: timeout.duration,
            maximumLineBytes: maxLine.bytes,
            endpoint: endpoint,
            proxy: try proxy(for: endpoint, caFile: caFile, environment),
            caFile: caFile,
            signatureScheme: signature == .v3 ? .v3 : .v1,
            credentials: found.credentials,
            renewCredentials: renewal(of: found),
        )
    }

    private func report(_ result: StatusResult) {
        let tally = result.tally
        if let error = result.inputError { printDiagnostic("\(error); the lines before were answered.") }
        if tally.foreign.count > 0 {
            printDiagnostic(
                """
                \(Self.name(tally.foreign)) not written by smspipe: without an Outcome there is nothing to ask, so it was \
                passed on. Give response lines.
                """
            )
        }
        if tally.unsearchable.count > 0 {
            printDiagnostic(
                """
                \(Self.name(tally.unsearchable)) without what a look-up needs: PhoneNumber, which --no-echo leaves out, \
                SendDate, and BizId or BatchId.
                """
            )
        }
        let missing = tally.unanswered + tally.refused
        if result.stops.isEmpty, result.endingSignal == nil, missing > 0, let failure = tally.failure {
            printDiagnostic("\(missing) of the messages could not be looked up: \(Self.text(failure))")
        }
        if summary { writeToStandardError(result.summaryLine + "\n") }
    }

    private static func name(_ lines: StatusTally.Lines) -> String {
        lines.count == 1
            ? "line \(lines.first) is" : "line \(lines.first) is the first of \(lines.count) lines that are"
    }

    private static func text(_ failure: LookUpFailure) -> String {
        switch failure {
        case .code(let code):
            let entry = CodeTable.entry(for: code)
            return "\(code): \(entry.meaning) \(entry.remedy) The service keeps records for 30 days."
        case .notSent(let reason): return "\(reason.text); run again."
        case .unanswered(let doubt): return "\(doubt.text); run again."
        }
    }
}
