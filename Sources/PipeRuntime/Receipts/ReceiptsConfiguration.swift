// SPDX-License-Identifier: Apache-2.0

package import AlibabaCloudSMS
package import MessagePipe

/// What a run of `receipts` needs to know.
package struct ReceiptsConfiguration: Sendable {
    /// Where pushes are taken.
    package struct Listening: Sendable {
        let host: String
        let port: Int

        /// - Parameters:
        ///   - host: The name or address to listen on.
        ///   - port: The port; 0 for a free one.
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Where queues are read, and who reads them.
    package struct Queues: Sendable {
        let names: [QueueName]
        let tokens: (endpoint: GatewayEndpoint, proxy: Proxy?)
        let messages: (endpoint: GatewayEndpoint, proxy: Proxy?)
        let caFile: String?
        let credentials: Credentials
        let renewCredentials: (@Sendable () -> Credentials?)?

        /// - Parameters:
        ///   - names: The queues.
        ///   - tokens: Where tokens for them are had, and the proxy on the way there.
        ///   - messages: Where they are, and the proxy on the way there.
        ///   - caFile: A file of further trusted certificates.
        ///   - credentials: Who asks for tokens.
        ///   - renewCredentials: Gets new credentials before temporary ones end, on a thread that may wait; `nil` for none.
        package init(
            names: [QueueName],
            tokens: (endpoint: GatewayEndpoint, proxy: Proxy?),
            messages: (endpoint: GatewayEndpoint, proxy: Proxy?),
            caFile: String?,
            credentials: Credentials,
            renewCredentials: (@Sendable () -> Credentials?)?,
        ) {
            self.names = names
            self.tokens = tokens
            self.messages = messages
            self.caFile = caFile
            self.credentials = credentials
            self.renewCredentials = renewCredentials
        }
    }

    let listening: Listening?
    let queues: Queues?
    let timeout: Duration

    /// - Parameters:
    ///   - listening: Where pushes are taken; `nil` for none.
    ///   - queues: Which queues are read; `nil` for none.
    ///   - timeout: How long an answer of a queue is awaited.
    package init(listening: Listening?, queues: Queues?, timeout: Duration) {
        self.listening = listening
        self.queues = queues
        self.timeout = timeout
    }
}

/// How a run of `receipts` ended, or how far it is.
package struct ReceiptsResult: Sendable {
    /// What was done.
    package let tally: ReceiptsEngine.Tally
    /// How many pushes, and batches of a queue's messages, wait until their lines are written.
    package let waiting: Int
    /// All that ended it, signals apart; the first first.
    package let stops: [StopReason]
    /// The signal that ended it.
    package let endingSignal: Int32?
    /// Why it could not listen; `nil` if it could.
    package let listenError: String?
    /// How long it has taken.
    package let duration: Duration

    /// What was done, as one JSON line without its line break; the duration is in seconds.
    package var summaryLine: String {
        let counts = [
            ("SmsReport", tally.reports), ("SmsUp", tally.replies), ("Other", tally.others), ("Repeats", tally.repeats),
            ("Pushes", tally.pushes), ("Deleted", tally.deleted), ("Waiting", waiting),
            ("Unreadable", tally.unreadablePushes + tally.unreadableMessages),
        ]
        let members = counts.map { "\"\($0)\":\($1)" } + ["\"Seconds\":\(Summary.decimal(duration, per: 1))"]
        return "{\(members.joined(separator: ","))}"
    }
}
