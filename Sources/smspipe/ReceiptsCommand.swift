// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import ArgumentParser
import Glibc
import MessagePipe
import PipeRuntime

/// A source of lines: what the service tells of by itself.
struct ReceiptsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipts",
        abstract: "Write delivery reports and replies as lines, from HTTP pushes or from the queues.",
        usage: "smspipe receipts [--listen host:port] [--queue name …] [options]",
        discussion: """
            Each line is an object with "Type" and the service's own fields:
              {"Type":"SmsReport","phone_number":…,"success":true,"err_code":"DELIVERED",…}
              {"Type":"SmsUp","phone_number":…,"content":…,"dest_code":…,…}
            What has the fields of neither has "Type":null. "out_id" is the BatchId of the
            response line, or the message's own OutId.

            --listen takes the pushes of the platform, over HTTP and at any path. A push
            is answered when its lines are written; until then, and when smspipe is not
            there, the platform pushes again, for some minutes. It does not sign its
            pushes, so let nobody else reach the address: put it behind what serves https
            for you.

            --queue takes the messages of a queue, whose name the console shows, such as
            Alicom-Queue-1092397003988387-SmsReport or …-SmsUp. A message is deleted when
            its line is written. It needs credentials, as smspipe send does, that may call
            dybaseapi:QueryTokenForMnsQueue.

              smspipe receipts --listen 127.0.0.1:8080 >> receipts.jsonl
              smspipe receipts --queue Alicom-Queue-1092397003988387-SmsReport |
                jq -c 'select(.success | not)'

            The service may tell the same twice; what comes again within a day gets no
            second line. A run that was killed may have written lines that it had not let
            go of: these come again in the next.

            Every option can also be given in the environment: SMSPIPE_ and its name in
            capitals, such as SMSPIPE_LISTEN=127.0.0.1:8080; the option wins.

            TERM, INT and HUP end the run when what has come is written and let go of. USR1
            prints the summary so far.

            Exit status:
            64   wrong usage
            69   the queue cannot be reached or does not exist, or the account is closed
            70   a bug in smspipe
            74   writing failed
            77   credentials missing, wrong or not permitted
            78   bad configuration: address to listen on, endpoint, CA file, proxy
            129, 130, 141, 143   ended by HUP, INT, PIPE, TERM
            """,
    )

    /// The options that the environment can give, and whether they are flags.
    static let optionNames: [(name: String, isFlag: Bool)] = [
        ("listen", false), ("queue", false), ("endpoint", false), ("queue-endpoint", false), ("allow-http", true),
        ("ca-file", false), ("profile", false), ("timeout", false), ("summary", true),
    ]

    @Option(help: ArgumentHelp("Where pushes are taken; port 0 is a free one.", valueName: "host:port"))
    var listen: ListenAddress?

    @Option(help: ArgumentHelp("A queue to read; several joined by commas, or in as many options.", valueName: "name"))
    var queue: [String] = []

    /// The names, also where one option or variable has several.
    private var queueNames: [String] {
        queue.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    @Option(help: ArgumentHelp("Where tokens for queues are had.", valueName: "url"))
    var endpoint = "https://\(AlibabaCloudSMS.Endpoint.receiptTokens)"

    @Option(
        help: ArgumentHelp(
            "Where queues are. (default: the platform's for its own endpoints, else the endpoint)",
            valueName: "url",
        )
    )
    var queueEndpoint: String?

    @Flag(help: "Accept http endpoints that are not on this machine: numbers and key id travel in the clear.")
    var allowHttp = false

    @Option(
        help: ArgumentHelp("A PEM file with further certificates to trust.", valueName: "file"),
        completion: .file(),
    )
    var caFile: String?

    @Option(help: "The profile to take from the files that hold credentials.")
    var profile: String?

    @Option(help: ArgumentHelp("How long an answer of a queue is awaited.", valueName: "time"))
    var timeout = TimeSpan(.seconds(10))

    @Flag(help: "Print a summary as one JSON line on standard error at the end.")
    var summary = false

    func validate() throws {
        guard listen != nil || !queue.isEmpty else {
            throw ValidationError("Give --listen host:port, --queue name, or both.")
        }
        for text in queueNames where QueueName(text) == nil {
            throw ValidationError(
                "--queue \(text) is no name such as Alicom-Queue-1092397003988387-SmsReport or …-SmsUp."
            )
        }
        guard Set(queueNames).count == queueNames.count else {
            throw ValidationError("--queue names the same queue twice.")
        }
        guard timeout.duration > .zero else { throw ValidationError("--timeout must be longer than 0.") }
    }

    func run() throws {
        Signals.block([SIGUSR1, SIGTERM, SIGINT, SIGHUP])
        guard DescriptorLimit.raise() >= leastDescriptorCount else {
            throw end(.configuration, "too few files may be open here; raise ulimit -n to \(leastDescriptorCount).")
        }
        let configuration = ReceiptsConfiguration(
            listening: listen.map { ReceiptsConfiguration.Listening(host: $0.host, port: $0.port) },
            queues: try queue.isEmpty ? nil : queues(processEnvironment),
            timeout: timeout.duration,
        )
        let signals = RunSignals()
        let result = ReceiptsPipe.run(
            configuration,
            outputDescriptor: STDOUT_FILENO,
            listens: { [listen] port in
                guard let listen, listen.port == 0 else { return }
                printDiagnostic("listening on http://\(listen.hostText):\(port)")
            },
            told: { printDiagnostic(Self.text(of: $0)) },
        ) { run in
            signals.begin { number in
                guard number == SIGUSR1 else { return run.end(bySignal: number) }
                run.report { signals.write($0.summaryLine) }
            }
        }
        signals.end()
        try report(result)
    }

    private func queues(_ environment: [String: String]) throws -> ReceiptsConfiguration.Queues {
        let tokens = try gatewayEndpoint(endpoint, allowsHTTP: allowHttp)
        guard tokens.host != AlibabaCloudSMS.Endpoint.sms else {
            throw end(
                .configuration,
                "--endpoint, or SMSPIPE_ENDPOINT, is \(endpoint), where messages are sent; tokens for queues are had from https://\(Endpoint.receiptTokens).",
            )
        }
        let messages =
            try queueEndpoint.map { try gatewayEndpoint($0, allowsHTTP: allowHttp) } ?? Self.queues(beside: tokens)
        let ways = (
            tokens: (tokens, try proxy(for: tokens, caFile: caFile, environment)),
            messages: (messages, try proxy(for: messages, caFile: caFile, environment)),
        )
        let found = try findCredentials(
            environment,
            profile: profile,
            caFile: caFile,
            orElse: "or try it without an account: smspipe simulate.",
        )
        return ReceiptsConfiguration.Queues(
            names: queueNames.compactMap { QueueName($0) },
            tokens: ways.tokens,
            messages: ways.messages,
            caFile: caFile,
            credentials: found.credentials,
            renewCredentials: renewal(of: found),
        )
    }

    private typealias Endpoint = AlibabaCloudSMS.Endpoint

    /// Where the queues are whose tokens are had from an endpoint: whoever stands in for the one stands in for the other.
    private static func queues(beside tokens: GatewayEndpoint) -> GatewayEndpoint {
        let host: String
        switch tokens.host {
        case Endpoint.receiptTokens: host = Endpoint.receiptQueues
        case Endpoint.internationalReceiptTokens: host = Endpoint.internationalReceiptQueues
        default: return tokens
        }
        return GatewayEndpoint(isEncrypted: tokens.isEncrypted, host: host, port: tokens.port)
    }

    private static func text(of notice: ReceiptsEngine.Notice) -> String {
        switch notice {
        case .unreadablePush:
            "a push that is no JSON array of objects was refused, and so will be others; let only the platform reach this address."
        case .unreadableMessage(let queue, let id):
            "a message of \(queue.text) cannot be read\(id.isEmpty ? "" : " (MessageId \(id))") and was left there, and so will be others."
        case .failing(let queue, let why): "\(queue.text): \(why); trying again."
        case .forgetsEarly:
            "more receipts come within a day than are remembered; one that comes again late may get a second line."
        }
    }

    private func report(_ result: ReceiptsResult) throws {
        if summary { writeToStandardError(result.summaryLine + "\n") }
        if let why = result.listenError, let listen {
            throw end(
                .configuration,
                "cannot listen on \(listen.hostText):\(listen.port): \(why); choose another --listen."
            )
        }
        for stop in result.stops { if let text = text(of: stop) { printDiagnostic(text) } }
        throw ExitCode(ExitStatus.status(of: result))
    }

    private func text(of stop: StopReason) -> String? {
        switch stop {
        case .account(let answer) where answer.code == "QueueNotExist":
            return "stopped asking: there is no queue \(answer.message); the console shows its name."
        case .credentials(let answer)
        where answer.code == "AccessDenied" || CodeTable.entry(for: answer.code).remedy == CodeTable.grantPermission:
            return """
                stopped asking: \(answer.code): the key may not read the queue. Allow dybaseapi:QueryTokenForMnsQueue in the \
                RAM console, and see that the queue is one of the key's account.
                """
        case .outputFailed(let what):
            return "stopped: \(what); make room or mend it, then run again: what was not written comes again."
        default: return StopText(stop, endpoint: endpoint, sends: false).text
        }
    }
}

/// Where to listen: `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080`.
struct ListenAddress: ExpressibleByArgument {
    /// The name or address, an IPv6 address without brackets.
    let host: String
    /// The port; 0 for a free one.
    let port: Int

    /// The host as it stands before a port.
    var hostText: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = Int(argument[argument.index(after: colon)...]),
            (0...65535).contains(port), let endpoint = GatewayEndpoint("http://\(argument[..<colon])")
        else { return nil }
        (host, self.port) = (endpoint.host, port)
    }
}
