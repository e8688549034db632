// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

/// What is known about one code, or about all codes that begin alike.
package struct CodeEntry: Equatable, Sendable {
    /// Who gives the code.
    package enum Origin: String, Equatable, Hashable, Sendable {
        /// The SMS service, in an answer with HTTP status 200.
        case service
        /// The SMS service, to calls that manage sign names and templates; never to one that sends.
        case management
        /// The gateway in front of all services, with a status of 4xx or 5xx.
        case gateway
        /// This program, for a line that got no answer of the service.
        case smspipe
    }

    /// The code; a `*` at its end stands for any rest, also an empty one.
    package let code: String
    /// Who gives it.
    package let origin: Origin
    /// What a sender does about it; `nil` for this program's own codes, which no answer carries.
    package let codeClass: CodeClass?
    /// What it means, in one sentence.
    package let meaning: String
    /// What to do, in one sentence.
    package let remedy: String
    /// The HTTP statuses that it was seen with; empty where none is confirmed.
    package let httpStatuses: [Int]
    /// Whether a repeat cannot send anything twice, since nothing was sent.
    package let isSafeToRetry: Bool

    /// Whether the entry is for all codes that begin like this one.
    package var isPrefix: Bool { code.utf8.last == UInt8(ascii: "*") }

    /// Creates an entry for a code that the SMS service gives to a send.
    init(service code: String, _ codeClass: CodeClass, _ meaning: String, _ remedy: String) {
        self.init(code, .service, codeClass, http: [200], meaning, remedy)
    }

    /// Creates an entry for a code of a management call; should a send meet it, what its messages have in common is to
    /// blame.
    init(management code: String, _ meaning: String, _ remedy: String) {
        self.init(code, .management, .batch, http: [200], meaning, remedy)
    }

    /// Creates an entry for a code of the gateway.
    init(gateway code: String, _ codeClass: CodeClass, http: [Int], _ meaning: String, _ remedy: String) {
        self.init(code, .gateway, codeClass, http: http, meaning, remedy)
    }

    /// Creates an entry for a code of this program.
    init(own code: String, isSafeToRetry: Bool, _ meaning: String, _ remedy: String) {
        self.init(code, .smspipe, nil, http: [], meaning, remedy, isSafeToRetry: isSafeToRetry)
    }

    private init(
        _ code: String,
        _ origin: Origin,
        _ codeClass: CodeClass?,
        http httpStatuses: [Int],
        _ meaning: String,
        _ remedy: String,
        isSafeToRetry: Bool? = nil,
    ) {
        self.code = code
        self.origin = origin
        self.codeClass = codeClass
        self.meaning = meaning
        self.remedy = remedy
        self.httpStatuses = httpStatuses
        self.isSafeToRetry = isSafeToRetry ?? (codeClass != .success && codeClass != .ambiguous)
    }
}
