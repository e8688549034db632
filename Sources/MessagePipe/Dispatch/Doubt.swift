// SPDX-License-Identifier: Apache-2.0

/// Why a request may or may not have been taken: it left whole, and no answer tells.
package enum Doubt: Equatable, Sendable {
    /// No answer came in time.
    case timeout
    /// The connection ended before the answer was whole.
    case connectionLost
    /// An answer came that cannot be read, or that says nothing about acceptance.
    case unreadable(status: Int?)
    /// The answer's code leaves it open.
    case ambiguous(code: String)
    /// The run was ended while the answer was awaited.
    case interrupted

    /// What happened, as the beginning of a sentence.
    package var text: String {
        switch self {
        case .timeout: "no answer came in time"
        case .connectionLost: "the connection was lost before an answer came"
        case .unreadable(let status): "the answer\(status.map { " (HTTP \($0))" } ?? "") cannot be read"
        case .ambiguous(let code): "the gateway answered \(code)"
        case .interrupted: "the run ended before an answer came"
        }
    }
}

/// Why no byte of a request can have reached the gateway as a whole request.
package enum NotSentReason: Equatable, Sendable {
    /// No connection could be made.
    case noConnection(String)
    /// The peer's certificate did not verify, or is for another host; trying again cannot help.
    case certificate(String)
    /// The connection broke while the request was being written.
    case brokenWhileSending

    /// What happened, as the beginning of a sentence; without any value of a message.
    package var text: String {
        switch self {
        case .noConnection(let why): "no connection to the gateway: \(why)"
        case .certificate(let why): "the gateway's certificate was refused: \(why)"
        case .brokenWhileSending: "the connection broke while a request was being sent"
        }
    }
}
