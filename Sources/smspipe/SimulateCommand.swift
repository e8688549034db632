// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import GatewaySimulator
import Glibc
import MessagePipe
import PipeRuntime

/// A local gateway that speaks the service's API.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Serve the SMS API on this machine, with an inbox, limits and faults; nothing is sent to a phone.",
        usage: "smspipe simulate [options] [-- COMMAND ...]",
        discussion: """
            Prints one line when it is ready, and serves until its standard input ends or
            TERM comes:
              {"endpoint":"http://127.0.0.1:41234","inbox":"…/_sim/",
               "accessKeyId":"…","accessKeySecret":"…"}
            With -- COMMAND it runs the command with SMSPIPE_ENDPOINT,
            ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and
            SMSPIPE_SIMULATOR_INBOX set, and ends with the command's status.

            A fault is KIND=SHARE, SHARE a number from 0 to 1 or a percentage, with limits
            after commas (template=CODE, number=NUMBER, nth=N, action=NAME):
              --fault drop-after=10% --fault stall=1,nth=3
              --fault error:isv.BUSINESS_LIMIT_CONTROL=1,number=13800000001
            Kinds:
              error:CODE   refused with the code
              503          answered 503, nothing taken
              drop-before  closed before anything was taken
              drop-after   taken, closed without an answer
              stall        taken, never answered
              truncate     taken, half of the answer sent
              garbage      taken, an answer that is no JSON

            Pages for tests, lines of JSON below the endpoint:
              /_sim/messages    ?number= &template= &text= &request= &after= &limit=
                                &newest=1
              /_sim/requests    ?code= &raw=1 for headers and body
              /_sim/duplicates  what was taken more than once; a last line says if not
                                all messages could be compared, see --compare
              /_sim/counts      all since the start or the last reset
              /_sim/wait        ?count=100&timeout=5s; 408 when the time is over
              /_sim/faults      GET, PUT, DELETE: faults and limits
              /_sim/replies     POST a reply: {"PhoneNumber":…,"Content":…}
              /_sim/reset       POST: forget everything
              curl -s "$SMSPIPE_ENDPOINT/_sim/messages?number=13800000001" | jq -r .Text
              curl -s "$SMSPIPE_ENDPOINT/_sim/wait?count=100&timeout=5s" | jq .Messages
              curl -sX PUT "$SMSPIPE_ENDPOINT/_sim/faults" \\
                -d '{"Faults":["drop-after=10%"],"Latency":"50ms±20ms","QPS":"5000"}'

            Every option can also be given in the environment: SMSPIPE_ and its name in
            capitals, such as SMSPIPE_QPS=100; the option wins.

            Memory: at most 16 bytes for a message that is compared and a nonce that is
            remembered (15 minutes at least, 8 million at most; /_sim/counts has those that
            were forgotten early), and 128 MiB for requests that are kept.

            Phone numbers of the default account that fail on purpose:
            \(MagicNumbers.all.map { "  \($0.number)  \($0.effect)" }.joined(separator: "\n"))

            Exit status: 0; that of COMMAND, or 126 and 127 if it cannot be run; 64 wrong
            usage; 66 a file cannot be read; 69 the port cannot be listened on; 74 the
            ready line cannot be written; 78 a bad account file or faults file; 129, 130
            ended by HUP, INT.
            """,
    )

    /// The options that the environment can give, and whether they are flags.
    static let optionNames: [(name: String, isFlag: Bool)] =
        [
            "port", "bind", "account", "seed", "keep", "compare", "qps", "latency", "fault", "faults-file",
            "on-bad-element", "report-delay", "receipts-to", "duplicate-receipts", "time-scale", "number-limits",
        ].map { ($0, false) } + [("account-schema", true)]

    @Option(help: ArgumentHelp("The port; 0 takes a free one.", valueName: "number"))
    var port = 0

    @Option(
        help: ArgumentHelp(
            "The address to listen on. Any but a loopback one lets other machines read what was captured.",
            valueName: "address",
        )
    )
    var bind = "127.0.0.1"

    @Option(
        help: ArgumentHelp("An account file: keys, sign names, templates, numbers, limits.", valueName: "file"),
        completion: .file(),
    )
    var account: String?

    @Flag(help: "Print the JSON Schema of account files, and end.")
    var accountSchema = false

    @Option(help: ArgumentHelp("Decides the access key, ids and faults; equal seeds act alike.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("How many messages are kept to be looked at.", valueName: "count"))
    var keep = 10_000

    @Option(
        help: ArgumentHelp(
            "How many different messages are remembered to find repeats among them, 16 bytes each at most.",
            valueName: "count",
        )
    )
    var compare = 10_000_000

    @Option(help: ArgumentHelp("The most requests a second of each call, the service has 5000.", valueName: "number"))
    var qps: Double?

    @Option(help: ArgumentHelp("How long answers take, such as 50ms or 50ms±20ms.", valueName: "time"))
    var latency: SimulatedLatency?

    @Option(
        help: ArgumentHelp("A fault, KIND=SHARE; may be given again.", valueName: "fault"),
        transform: { text in
            do {
                return try FaultRule(parsing: text)
            } catch {
                throw ValidationError("\(error).")
            }
        }
    )
    var fault: [FaultRule] = []

    @Option(
        help: ArgumentHelp("A file of faults, one a line as for --fault; # begins a comment.", valueName: "file"),
        completion: .file(),
    )
    var faultsFile: String?

    @Option(help: "What one bad message does to the others of its batch.")
    var onBadElement = OnBadElement.rejectBatch

    @Option(help: ArgumentHelp("How long a message waits for its receipt.", valueName: "time"))
    var reportDelay = TimeSpan(.seconds(1))

    @Option(
        help: ArgumentHelp("An http URL that gets receipts (SmsReport) and replies (SmsUp) pushed.", valueName: "url")
    )
    var receiptsTo: String?

    @Option(help: ArgumentHelp("The share of receipts that are pushed twice, from 0 to 1.", valueName: "share"))
    var duplicateReceipts = 0.0

    @Option(
        help: ArgumentHelp(
            "By what the pauses before repeated pushes and the visibility time of queues are multiplied.",
            valueName: "factor",
        )
    )
    var timeScale = 1.0

    @Option(help: "Limits per phone number; by default those of the account file.")
    var numberLimits: PerNumberLimits?

    @Argument(parsing: .postTerminator, help: ArgumentHelp("A command to run against it.", valueName: "command"))
    var command: [String] = []

    /// The values of `--on-bad-element`.
    enum OnBadElement: String, CaseIterable, ExpressibleByArgument {
        case rejectBatch = "reject-batch"
        case failOne = "fail-one"
    }

    /// The values of `--number-limits`.
    enum PerNumberLimits: String, CaseIterable, ExpressibleByArgument {
        case none, service
    }

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535.") }
        guard keep > 0 else { throw ValidationError("--keep must be above 0.") }
        guard compare > 0 else { throw ValidationError("--compare must be above 0.") }
        guard (0...1).contains(duplicateReceipts) else {
            throw ValidationError("--duplicate-receipts must be from 0 to 1.")
        }
        guard timeScale > 0, timeScale <= 1_000 else {
            throw ValidationError("--time-scale must be above 0, and 1000 at most.")
        }
        if let receiptsTo, ReceiptAddress(receiptsTo) == nil {
            throw ValidationError("--receipts-to must be an http URL, such as http://127.0.0.1:8080/receipts.")
        }
        if let qps, !(qps > 0) { throw ValidationError("--qps must be above 0.") }
    }

    func run() throws {
        guard !accountSchema else {
            try writeLine(AccountFileSchema.text)
            return
        }
        // Signals are watched before anyone knows of the server, so that none is missed.
        Signals.block([SIGTERM, SIGINT, SIGHUP, SIGUSR1])
        let ending = SimulateEnding()
        let server = try start()
        if !SimulatorServer.isLoopback(bind) {
            printDiagnostic(
                "listening on \(bind): other machines can send, read captured messages and change faults; use it in test networks only."
            )
        }
        let status = command.isEmpty ? serve(server, ending) : runCommand(server, ending)
        try server.shutdown()
        throw ExitCode(status)
    }

    private func start() throws -> SimulatorServer {
        var configuration = SimulatorConfiguration()
        configuration.seed = seed
        configuration.maximumKeptMessages = keep
        configuration.maximumComparedMessages = compare
        configuration.requestsPerSecond = qps
        configuration.latency = latency?.latency
        configuration.account = try account.map(readAccount)
        configuration.faults = try faultsFile.map(readFaults) ?? []
        configuration.faults += fault
        configuration.badElement = onBadElement == .failOne ? .failOne : .rejectBatch
        configuration.reportDelay = reportDelay.duration
        configuration.receiptsTo = receiptsTo.flatMap { ReceiptAddress($0) }
        configuration.duplicateReceipts = duplicateReceipts
        configuration.timeScale = timeScale
        configuration.numberLimits = numberLimits.map { $0 == .service ? .service : NumberLimits.none }
        do {
            return try SimulatorServer.start(configuration: configuration, host: bind, port: port)
        } catch {
            throw end(
                .unavailable,
                "\(bind)\(port == 0 ? "" : " port \(port)") cannot be listened on: \(error); choose another --port or --bind."
            )
        }
    }

    private func readAccount(_ path: String) throws -> SimulatedAccount {
        do {
            return try SimulatedAccount(file: read(path))
        } catch let error as AccountFileError {
            throw end(.configuration, "the account file \(path) is wrong: \(error); see --account-schema.")
        }
    }

    private func read(_ path: String) throws -> [UInt8] {
        do throws(UnreadableFile) {
            return try readFile(path)
        } catch {
            throw end(.noInput, "\(error).")
        }
    }

    private func readFaults(_ path: String) throws -> [FaultRule] {
        let text = String(decoding: try read(path), as: UTF8.self)
        var rules: [FaultRule] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let rule = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            guard !rule.isEmpty else { continue }
            do {
                rules.append(try FaultRule(parsing: rule))
            } catch {
                throw end(.configuration, "line \(index + 1) of the faults file \(path) is wrong: \(error).")
            }
        }
        return rules
    }

    /// Serves until standard input ends or a signal comes.
    private func serve(_ server: SimulatorServer, _ ending: SimulateEnding) -> Int32 {
        do throws(ExitCode) {
            try writeLine(SimulateReadyLine(server).text)
        } catch {
            return error.rawValue
        }
        return ending.wait()
    }

    /// Runs the command and takes over its status.
    private func runCommand(_ server: SimulatorServer, _ ending: SimulateEnding) -> Int32 {
        SimulateChild(command, environment: SimulateReadyLine(server).environment).run(passing: ending)
    }
}

/// A latency as an option gives it.
struct SimulatedLatency: ExpressibleByArgument {
    let latency: Latency

    init?(argument: String) {
        guard let latency = Latency(text: argument) else { return nil }
        self.latency = latency
    }
}
