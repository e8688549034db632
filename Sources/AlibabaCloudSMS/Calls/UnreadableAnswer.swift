// SPDX-License-Identifier: Apache-2.0

/// An answer that is not what the service gives, such as a proxy's page: it does not tell what became of the request.
///
/// Also with a status of 4xx, which something between us and the gateway may have given after the gateway took the
/// request.
package struct UnreadableAnswer: Error, Equatable, CustomStringConvertible {
    /// The HTTP status.
    package let status: Int
    /// What was found instead; never text of the answer.
    package let reason: String

    package var description: String { "HTTP \(status): \(reason)" }
}
