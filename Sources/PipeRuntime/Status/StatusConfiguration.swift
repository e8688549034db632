// SPDX-License-Identifier: Apache-2.0

package import AlibabaCloudSMS
package import MessagePipe

/// What a run of `status` needs to know.
package struct StatusConfiguration: Sendable {
    let wait: Duration
    let window: Int
    let concurrency: Int
    let maximumLookUpsPerSecond: Double?
    let timeout: Duration
    let maximumLineBytes: Int
    let endpoint: GatewayEndpoint
    let proxy: Proxy?
    let caFile: String?
    let signatureScheme: SignatureScheme
    let credentials: Credentials
    let renewCredentials: (@Sendable () -> Credentials?)?

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - wait: How long after its line was read a message is asked about again; zero for once only.
    ///   - window: The most lines that are read and not yet written.
    ///   - concurrency: The most look-ups under way.
    ///   - maximumLookUpsPerSecond: The most look-ups a second.
    ///   - timeout: How long an answer is awaited.
    ///   - maximumLineBytes: The longest line that is accepted.
    ///   - endpoint: Where requests go.
    ///   - proxy: The proxy on the way there.
    ///   - caFile: A file of further trusted certificates.
    ///   - signatureScheme: How requests are signed.
    ///   - credentials: Who asks.
    ///   - renewCredentials: Gets new credentials before temporary ones end, on a thread that may wait; `nil` for none.
    package init(
        wait: Duration,
        window: Int,
        concurrency: Int,
        maximumLookUpsPerSecond: Double?,
        timeout: Duration,
        maximumLineBytes: Int,
        endpoint: GatewayEndpoint,
        proxy: Proxy?,
        caFile: String?,
        signatureScheme: SignatureScheme,
        credentials: Credentials,
        renewCredentials: (@Sendable () -> Credentials?)?,
    ) {
        self.wait = wait
        self.window = window
        self.concurrency = concurrency
        self.maximumLookUpsPerSecond = maximumLookUpsPerSecond
        self.timeout = timeout
        self.maximumLineBytes = maximumLineBytes
        self.endpoint = endpoint
        self.proxy = proxy
        self.caFile = caFile
        self.signatureScheme = signatureScheme
        self.credentials = credentials
        self.renewCredentials = renewCredentials
    }
}

/// How a run of `status` ended, or how far it is.
package struct StatusResult: Sendable {
    /// What was done.
    package let tally: StatusTally
    /// All that made it stop asking early, signals apart; the first first.
    package let stops: [StopReason]
    /// The signal that ended it.
    package let endingSignal: Int32?
    /// The input that could not be read to its end.
    package let inputError: InputError?
    /// How long it has taken.
    package let duration: Duration

    /// What was done, as one JSON line without its line break; the duration is in seconds.
    package var summaryLine: String {
        let counts = [
            ("Lines", tally.lines), ("Delivered", tally.delivered), ("Failed", tally.failed),
            ("Waiting", tally.waiting), ("NotFound", tally.notFound), ("Unanswered", tally.unanswered),
            ("Refused", tally.refused),
            ("Unsent", tally.unsent), ("Planned", tally.planned), ("Unsearchable", tally.unsearchable.count),
            ("Foreign", tally.foreign.count), ("Found", tally.found), ("Unknown", tally.unknown),
            ("LookUps", tally.lookUps), ("Throttled", tally.throttled),
        ]
        let members = counts.map { "\"\($0)\":\($1)" } + ["\"Seconds\":\(Summary.decimal(duration, per: 1))"]
        return "{\(members.joined(separator: ","))}"
    }
}
