// SPDX-License-Identifier: Apache-2.0

/// One attempt to send a batch, or to look one up.
package struct RequestID: Hashable, Sendable {
    let batch: BatchTable.Index
    let number: UInt64
}

/// A request that is to go to the gateway now; exactly one report about it must come back.
package struct Request: Equatable, Sendable {
    /// What the request asks for.
    package enum Call: Equatable, Sendable {
        /// SendBatchSms.
        case sendBatch
        /// SendSms, for a message that goes alone.
        case sendSingle
        /// QuerySendDetails, for a batch in doubt.
        case lookUp
    }

    /// Names the request in reports.
    package let id: RequestID
    /// What it asks for.
    package let call: Call
}

/// What the messages of a request have in common, as the wire needs it.
package struct RequestHead: Equatable, Sendable {
    /// The template code's text.
    package let templateCode: [UInt8]
    /// The text that travels as OutId: the messages' own, or the BatchId.
    package let outID: [UInt8]
    /// Whether each message has template parameters.
    package let hasParameters: Bool
    /// Whether each message has an extension code.
    package let hasExtensionCode: Bool
    /// The number of messages.
    package let count: Int
}

/// What a look-up is to ask, and how to know the batch in the answer.
package struct LookUp: Equatable, Sendable {
    /// The number to ask for, without a prefix.
    package let phoneNumber: [UInt8]
    /// The day to ask for, `yyyyMMdd` in China time.
    package let sendDate: UInt32
    /// The text that travelled as OutId.
    package let outID: [UInt8]
    /// The template code's text.
    package let templateCode: [UInt8]
    /// Whether the OutId is the messages' own, so that other requests may carry it too.
    package let isOwnOutID: Bool
    /// How many seconds before the look-up the request left.
    package let secondsSinceSent: Int64
    /// Within how many seconds after it left it was taken, if it was.
    package let secondsUntilTaken: Int64
    /// Counts the look-ups of the batch, from 1.
    package let attempt: Int
}
