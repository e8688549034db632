// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import ArgumentParser
import GatewaySimulator
import Glibc
import MessagePipe
import PipeRuntime

/// The filter: messages in, one response line per message out.
struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        _superCommandName: "smspipe",
        abstract: "Send the messages that come in as JSON lines, and write one response line for each.",
        usage: "smspipe [send] [options] [file …]",
        discussion: """
            Input, one object a line:
            {"PhoneNumber":"13800001234","SignName":"Acme","TemplateCode":"SMS_1"}
            Output, the same line and what became of it:
            {…,"Outcome":"accepted","Code":"OK","BizId":"…","BatchId":"…",…}

            Every option can also be given in the environment: SMSPIPE_ and its name
            in capitals, such as SMSPIPE_BATCH_SIZE=50; the option wins.

            Credentials never come from an option, but, in this order, from
            ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, the role
            of an OIDC token (ALIBABA_CLOUD_OIDC_TOKEN_FILE), the profile of
            ~/.aliyun/config.json or ~/.alibabacloud/credentials, the ECS role that
            ALIBABA_CLOUD_ECS_METADATA names, or ALIBABA_CLOUD_CREDENTIALS_URI.

            Other commands, each with its own --help:
            smspipe status         what became of the messages of response lines
            smspipe receipts       delivery reports and replies as lines
            smspipe simulate       a local gateway that speaks the same API
            smspipe explain CODE   what a code means and what to do
            smspipe journal FILE   what a journal knows

            Exit status:
            0    all accepted, or planned
            1    all answered; some rejected, invalid or skipped
            3    all answered; some unknown: look before sending again
            64   wrong usage
            66   a FILE cannot be read
            69   the gateway cannot be reached, or the account cannot send
            70   a bug in smspipe
            73   the journal cannot be created, is in use, or is one of another run
            74   reading, writing or syncing failed
            77   credentials missing, wrong or not permitted
            78   bad configuration: endpoint, CA file, proxy
            129, 130, 141, 143   ended by HUP, INT, PIPE, TERM
            """,
    )

    /// The options that the environment can give, and whether they are flags.
    static let optionNames: [(name: String, isFlag: Bool)] = [
        ("sign-name", false), ("template-code", false), ("urgent", false), ("max-line", false),
        ("batch-size", false), ("linger", false), ("window", false), ("concurrency", false), ("rate", false),
        ("endpoint", false), ("allow-http", true), ("ca-file", false), ("signature", false), ("profile", false),
        ("simulate", true),
        ("timeout", false), ("deadline", false), ("confirm", false), ("drain", false), ("no-split", true),
        ("dry-run", true), ("no-echo", true), ("order", false), ("summary", true), ("progress", false),
        ("fail-on", false), ("journal", false),
    ]

    /// How wide the window may become if nobody says how wide it is.
    static let widestWindow = 200_000

    static let defaultEndpoint = "https://\(AlibabaCloudSMS.Endpoint.sms)"

    enum Order: String, CaseIterable, ExpressibleByArgument {
        case input, completion
    }

    enum Signature: String, CaseIterable, ExpressibleByArgument {
        case v3, v1
    }

    // MARK: Messages

    @Option(help: "The sign name of messages that bring none.")
    var signName: String?

    @Option(help: "The template code of messages that bring none.")
    var templateCode: String?

    @Option(
        help: ArgumentHelp("Templates whose messages go at once, each alone, joined by commas.", valueName: "codes")
    )
    var urgent: TemplateList?

    @Option(help: ArgumentHelp("The longest line that is accepted, 256MiB at most.", valueName: "bytes"))
    var maxLine = ByteCount(1 << 20)

    // MARK: Batching

    @Option(help: "The most messages in a request, 1 to 100.")
    var batchSize = 100

    @Option(
        help: ArgumentHelp("How long a message waits for others; 0 sends when no more is ready.", valueName: "time")
    )
    var linger = TimeSpan(.milliseconds(100))

    @Option(
        help:
            "The most messages that are read and not yet answered, 1 to 4000000. (default: 20000, and up to 200000 where batches of many templates would else not fill)"
    )
    var window: Int?

    @Option(help: "The most requests in flight.")
    var concurrency = 64

    @Option(
        help: ArgumentHelp(
            "The most messages a second, such as 500/s; no request holds more than a second's, and no more is read than half the deadline allows.",
            valueName: "rate",
        )
    )
    var rate: MessageRate?

    // MARK: The gateway

    @Option(help: ArgumentHelp("Where requests go.", valueName: "url"))
    var endpoint = defaultEndpoint

    @Flag(help: "Accept an http endpoint that is not on this machine: messages and key id travel in the clear.")
    var allowHttp = false

    @Option(
        help: ArgumentHelp("A PEM file with further certificates to trust.", valueName: "file"),
        completion: .file(),
    )
    var caFile: String?

    @Option(help: "How requests are signed.")
    var signature = Signature.v3

    @Option(help: "The profile to take from the files that hold credentials.")
    var profile: String?

    @Flag(help: "Send to a simulator inside this process: no account needed, nothing leaves the machine.")
    var simulate = false

    // MARK: Failures

    @Option(help: ArgumentHelp("How long an answer is awaited.", valueName: "time"))
    var timeout = TimeSpan(.seconds(10))

    @Option(help: ArgumentHelp("How old a message may be when it is sent.", valueName: "time"))
    var deadline = TimeSpan(.seconds(120))

    @Option(
        help: ArgumentHelp("How long a request without an answer is looked up; 0 for not at all.", valueName: "time")
    )
    var confirm = TimeSpan(.seconds(30))

    @Option(help: ArgumentHelp("How long answers are awaited after TERM, INT or HUP.", valueName: "time"))
    var drain = TimeSpan(.seconds(10))

    @Flag(help: "Reject a whole batch that is refused for one of its messages, instead of splitting it.")
    var noSplit = false

    @Option(
        help: ArgumentHelp(
            "Record what is sent, so that the same command run again finishes the job and sends nothing twice.",
            valueName: "file",
        ),
        completion: .file(),
    )
    var journal: String?

    // MARK: Output

    @Flag(name: [.customShort("n"), .long], help: "Do all but send.")
    var dryRun = false

    @Flag(help: "Leave the message out of its response line; its line number stands for it.")
    var noEcho = false

    @Option(help: "The order of response lines: that of the input, or as they come.")
    var order = Order.input

    @Flag(help: "Print a summary as one JSON line on standard error.")
    var summary = false

    @Option(help: "When to show a progress line on standard error; auto: where that is a terminal.")
    var progress = ProgressDisplay.Mode.auto

    @Option(help: "Which outcomes make the exit status non-zero.")
    var failOn = ExitStatus.FailOn.any

    @Argument(
        help: ArgumentHelp("Files to read; - is standard input, which is read if none is given.", valueName: "file"),
        completion: .file(),
    )
    var files: [String] = []

    func validate() throws {
        guard (1...100).contains(batchSize) else { throw ValidationError("--batch-size must be from 1 to 100.") }
        try checkBounds(window: window, concurrency: concurrency, maxLine: maxLine, timeout: timeout)
        for (name, value) in [("--sign-name", signName), ("--template-code", templateCode)] {
            guard value?.utf8.count ?? 0 <= 1024 else { throw ValidationError("\(name) must be 1024 bytes at most.") }
        }
        guard deadline.duration > linger.duration else {
            throw ValidationError("--deadline must be longer than --linger, or messages expire while they wait.")
        }
        if let rate, rate.messagesPerSecond * Double(deadline.duration.nanoseconds) / 1e9 < 2 {
            throw ValidationError("--deadline must be twice as long as --rate lets a message wait, or messages expire.")
        }
    }

    func run() throws {
        let environment = processEnvironment
        Signals.block([SIGUSR1])
        let inputs = try openInputs(files)
        if let journal { try checkIsApart(journal, from: inputs) }
        var found: CredentialsChain.Found?
        if !simulate, !dryRun {
            // What is wrong here is told before another machine is asked for credentials.
            _ = try proxy(for: gatewayEndpoint(endpoint, allowsHTTP: allowHttp), caFile: caFile, environment)
            found = try findCredentials(
                environment,
                profile: profile,
                caFile: caFile,
                orElse: "or try smspipe without an account by --simulate.",
            )
        }
        // Not before: opening a pipe waits for who writes to it, and is left by a signal as it is in any program.
        Signals.block([SIGTERM, SIGINT, SIGHUP])
        var simulator: SimulatorServer?
        if simulate, !dryRun {
            let server = try SimulatorServer.start(configuration: SimulatorConfiguration())
            printDiagnostic("sending to a simulator inside this process; no message leaves this machine.")
            simulator = server
        }
        let configuration = try pipeConfiguration(environment, simulator, found)
        let signals = RunSignals()
        var display: ProgressDisplay?
        let result = Pipe.run(configuration, inputs: inputs, outputDescriptor: STDOUT_FILENO) { run in
            signals.begin { number in
                guard number == SIGUSR1 else {
                    if progress.isShown { signals.write(endingText) }
                    return run.end(bySignal: number)
                }
                run.flush()
                run.report { signals.write(Summary($0).line) }
            }
            if progress.isShown { display = ProgressDisplay(run, environment: environment) }
        }
        signals.end()
        display?.end(result.progress)
        report(result, endpoint: simulator?.endpoint ?? endpoint)
        // Nothing of it is wanted any more.
        try? simulator?.shutdown()
        throw ExitCode(ExitStatus.status(of: result, failOn: failOn))
    }

    /// What a terminal shows when a signal asks for the end.
    private var endingText: String {
        """
        \nsmspipe: ending: nothing more is read; what is batched is sent for up to \(drain.defaultValueDescription). \
        Once more ends at once.
        """
    }

    // MARK: - Wiring

    /// Refuses a journal that is an input or the output too: as one it would be sent, as the other spoilt, and closing either
    /// would end the lock on it.
    private func checkIsApart(_ journal: String, from inputs: [(name: String, descriptor: Int32)]) throws {
        let others = inputs + [("standard output", STDOUT_FILENO)]
        guard let file = FileIdentity(at: journal),
            let other = others.first(where: { FileIdentity(of: $0.descriptor) == file })
        else { return }
        throw end(.usage, "\(other.name) is the journal itself; give --journal a file of its own.")
    }

    private func pipeConfiguration(
        _ environment: [String: String],
        _ simulator: SimulatorServer?,
        _ found: CredentialsChain.Found?,
    ) throws -> PipeConfiguration {
        let endpoint = try gatewayEndpoint(simulator?.endpoint ?? self.endpoint, allowsHTTP: allowHttp)
        var configuration = PipeConfiguration(
            engine: engineConfiguration(),
            defaults: MessageParser.Defaults(
                signName: signName,
                templateCode: templateCode,
                urgentTemplates: urgent?.codes ?? [],
            ),
            maximumLineBytes: maxLine.bytes,
            endpoint: endpoint,
            credentials: found?.credentials ?? Self.credentials(simulator),
        )
        configuration.renewCredentials = found.map(renewal(of:))
        if let journal { configuration.journal = try openJournal(journal, configuration) }
        configuration.caFile = caFile
        configuration.signatureScheme = signature == .v3 ? .v3 : .v1
        configuration.proxy = try proxy(for: endpoint, caFile: caFile, environment)
        return configuration
    }

    private func openJournal(
        _ path: String,
        _ configuration: PipeConfiguration,
    ) throws -> OpenJournal {
        let endpoint = configuration.endpoint
        // A temporary access key is another in every run, a simulator is a new one, and a dry run has none.
        let isLasting = configuration.credentials.securityToken == nil && !simulate && !dryRun
        let conditions = JournalConditions(
            accessKeyID: isLasting ? configuration.credentials.accessKeyID : nil,
            endpoint: simulate
                ? "simulate" : "\(endpoint.isEncrypted ? "https" : "http")://\(endpoint.host):\(endpoint.port)",
        )
        do throws(JournalError) {
            if dryRun { return try OpenJournal.reading(path, conditions: conditions) }
            let opened = try OpenJournal(path, conditions: conditions)
            if opened.tornByteCount > 0 {
                printDiagnostic(
                    "\(path): the last \(opened.tornByteCount) bytes were torn when a run ended, and are cut off; nothing is lost."
                )
            }
            return opened
        } catch {
            let failure = JournalFailure(error, path: path, for: .run)
            throw end(failure.status, failure.text)
        }
    }

    private func engineConfiguration() -> Engine.Configuration {
        var generator = SystemRandomNumberGenerator()
        let digits = String(generator.next() as UInt64, radix: 16)
        let runID = String(repeating: "0", count: 16 - digits.count) + digits
        var engine = Engine.Configuration(runID: runID)
        engine.batchSize = batchSize
        engine.linger = linger.duration
        if let window { engine.window = window } else { engine.widestWindow = Self.widestWindow }
        engine.concurrency = concurrency
        engine.timeout = timeout.duration
        engine.deadline = deadline.duration
        if let rate { engine.limit(toMessagesPerSecond: rate.messagesPerSecond) }
        engine.confirm = confirm.duration
        engine.drain = drain.duration
        engine.splits = !noSplit
        engine.isDryRun = dryRun
        engine.keepsInputOrder = order == .input
        engine.echoes = !noEcho
        return engine
    }

    /// The simulator's; a dry run signs nothing.
    private static func credentials(_ simulator: SimulatorServer?) -> Credentials {
        Credentials(
            accessKeyID: simulator?.accessKeyID ?? "",
            accessKeySecret: Secret(simulator?.accessKeySecret ?? ""),
        )
    }

    // MARK: - The end

    private func report(_ result: PipeResult, endpoint: String) {
        if let error = result.inputError { printDiagnostic("\(error); the lines before were answered.") }
        for stop in result.stops {
            if let text = text(of: stop, result) ?? StopText(stop, endpoint: endpoint).text { printDiagnostic(text) }
        }
        if summary { writeToStandardError(Summary(result.progress).line + "\n") }
    }

    /// What is said where lines are lost and no journal has them: whoever takes what has no line for unsent sends it twice.
    ///
    /// - Returns: The text; `nil` for other reasons to stop.
    private func text(of stop: StopReason, _ result: PipeResult) -> String? {
        let (accepted, unknown) = (result.progress.tally[.accepted], result.progress.tally[.unknown])
        guard case .outputFailed(let what) = stop, journal == nil else { return nil }
        guard accepted + unknown > 0 else {
            return "stopped sending: \(what); nothing was sent. Make room or mend it, then run again."
        }
        return """
            stopped sending: \(what); the last lines of \(accepted) accepted and \(unknown) unknown messages are lost. Do not send \
            again what has no line before you have looked for it at the service; --journal would know.
            """
    }
}
