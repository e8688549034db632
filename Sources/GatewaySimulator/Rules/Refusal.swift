// SPDX-License-Identifier: Apache-2.0

/// Why a request was not taken, by which of the two layers, and in which words.
///
/// Source: api 6.1. The gateway answers with HTTP 4xx or 5xx and a `HostId`; the SMS service behind it with 200 and a code
/// that begins with `isv.` or `isp.`, mostly.
package struct Refusal: Error, Equatable, Sendable {
    /// The API's code.
    package var code: String
    /// The API's text.
    package var message: String
    /// The HTTP status: 200 for a refusal by the SMS service.
    package var status: Int
    /// How long the client should wait, sent as `x-acs-retry-after`; `nil` where nothing is said.
    package var retryAfter: Duration?

    /// Creates a refusal.
    ///
    /// - Parameters:
    ///   - code: The API's code.
    ///   - message: The API's text.
    ///   - status: The HTTP status; 200 for a refusal by the SMS service.
    ///   - retryAfter: How long the client should wait.
    package init(code: String, message: String, status: Int, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
    }

    /// A refusal by the gateway.
    ///
    /// Source of statuses and texts: api 6.4.
    static func gateway(_ code: String, _ status: Int, _ message: String) -> Refusal {
        Refusal(code: code, message: message, status: status)
    }

    /// A refusal by the SMS service with a text of its own, or else that of ``RefusalTexts``.
    static func service(_ code: String, _ message: String? = nil) -> Refusal {
        Refusal(code: code, message: message ?? RefusalTexts.service[code] ?? code, status: 200)
    }

    /// A parameter that the gateway itself insists on.
    static func missing(_ parameter: String) -> Refusal {
        .gateway("Missing\(parameter)", 400, "\(parameter) is mandatory for this action.")
    }

    /// A refusal with any code that the tables know, for faults and magic numbers.
    ///
    /// A code that no table knows is taken as one of the SMS service if it begins with `isv.` or `isp.`, else as one of the gateway.
    static func named(_ code: String) -> Refusal {
        if let (status, message) = RefusalTexts.gateway[code] {
            return Refusal(
                code: code,
                message: message,
                status: status,
                retryAfter: code.hasPrefix("Throttling") ? .seconds(1) : nil,
            )
        }
        let isOfService = RefusalTexts.service[code] != nil || code.hasPrefix("isv.") || code.hasPrefix("isp.")
        return isOfService ? .service(code) : .gateway(code, 400, "The request was refused.")
    }

    /// Whether the gateway refused, so that the SMS service was not reached.
    var isByGateway: Bool { status != 200 }
}
