// SPDX-License-Identifier: Apache-2.0

/// What a simulated gateway is set to do.
package struct SimulatorConfiguration: Sendable {
    /// What one bad message does to the others of its batch; the service's own behaviour is not documented (api 3.4).
    package enum BadElement: String, CaseIterable, Sendable {
        /// The batch is refused with the code of its first bad message.
        case rejectBatch = "reject-batch"
        /// The batch is taken, and the bad message fails in the send details.
        case failOne = "fail-one"
    }

    /// Decides the access key of the default account, ids and faults; `nil` draws one.
    package var seed: UInt64?
    /// The account; `nil` for the default account with a key made from the seed.
    package var account: SimulatedAccount?
    /// How many messages, and how many requests, are kept to be looked at.
    package var maximumKeptMessages = 10_000
    /// How many different messages the ledger of duplicates remembers at most, and half of it at least.
    package var maximumComparedMessages = 10_000_000
    /// How many nonces are remembered at most; 5,000 requests a second make 6,000,000 in the time that they are remembered.
    package var maximumNonces = 8_000_000
    /// How many bytes of bodies may be arriving at once over all connections.
    package var maximumArrivingBytes = 256 * 1_024 * 1_024
    /// How long a connection may be without a whole request.
    package var idleTime = Duration.seconds(75)
    /// How many requests a second each call takes; `nil` for no limit.
    package var requestsPerSecond: Double?
    /// What one bad message does to the others of its batch.
    package var badElement = BadElement.rejectBatch
    /// How long it takes until the final state of a message is reported.
    package var reportDelay = Duration.seconds(1)
    /// The faults from the start.
    package var faults: [FaultRule] = []
    /// Where receipts are pushed, an `http` URL; `nil` for nowhere.
    package var receiptsTo: ReceiptAddress?
    /// The share of pushes that are sent again although they were acknowledged.
    package var duplicateReceipts = 0.0
    /// By what the pauses between pushes and the visibility time of queues are multiplied.
    package var timeScale = 1.0
    /// The per-number limits; `nil` for those of the account.
    package var numberLimits: NumberLimits?
    /// The latency of every answer of the API.
    package var latency: Latency?

    /// Creates the configuration of a gateway that takes everything.
    package init() {}
}
