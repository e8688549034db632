// SPDX-License-Identifier: Apache-2.0

package import AlibabaCloudSMS
package import MessagePipe

/// What a run needs to know.
package struct PipeConfiguration: Sendable {
    /// How messages are batched, sent and answered.
    package var engine: Engine.Configuration
    /// Values for members that lines leave out.
    package var defaults: MessageParser.Defaults
    /// The longest line that is accepted, in bytes.
    package var maximumLineBytes: Int
    /// Where requests go.
    package var endpoint: GatewayEndpoint
    /// The proxy on the way there.
    package var proxy: Proxy?
    /// A file of further trusted certificates.
    package var caFile: String?
    /// How requests are signed.
    package var signatureScheme: SignatureScheme
    /// Who sends.
    package var credentials: Credentials
    /// Gets new credentials before temporary ones end, on a thread that may wait; `nil` where there are none to be got.
    package var renewCredentials: (@Sendable () -> Credentials?)?
    /// What makes the run safe against its end at any moment.
    package var journal: OpenJournal?

    /// Creates a configuration without proxy and further certificates, signing with V3.
    package init(
        engine: Engine.Configuration,
        defaults: MessageParser.Defaults,
        maximumLineBytes: Int,
        endpoint: GatewayEndpoint,
        credentials: Credentials,
    ) {
        self.engine = engine
        self.defaults = defaults
        self.maximumLineBytes = maximumLineBytes
        self.endpoint = endpoint
        self.credentials = credentials
        signatureScheme = .v3
    }
}

/// How a run ended.
package struct PipeResult: Sendable {
    /// What was done.
    package var progress: Progress
    /// All that made it stop sending early, signals apart; the first first.
    package var stops: [StopReason]
    /// The signal that ended it.
    package var endingSignal: Int32?
    /// The input that could not be read to its end.
    package var inputError: InputError?
}
