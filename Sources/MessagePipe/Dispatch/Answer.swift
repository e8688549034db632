// SPDX-License-Identifier: Apache-2.0

/// What a code of the service says about the request that it answers.
///
/// The code table of `AlibabaCloudSMS` gives each code its class; the engine acts on the class alone.
/// Source: Dysmsapi error codes, classed by what a repeat of the request may do.
package enum CodeClass: Equatable, Hashable, Sendable {
    /// The request was taken.
    case success
    /// One message is to blame and the answer does not say which; nothing was sent.
    case message
    /// The template or another common value is to blame; nothing was sent.
    case batch
    /// A value that may differ between the messages of a batch (sign name, extension code) is to blame; nothing was sent.
    case batchOrMessage
    /// The credentials are wrong or lack permission; nothing was sent, and no other request will be.
    case credentials
    /// The account cannot send (money, product, caps); nothing was sent, and no other request will be.
    case account
    /// Refused before acceptance for sending too fast; the same request may go again later.
    case throttle
    /// The time stamp or the security token was too old; nothing was sent, the request may go again signed anew.
    case stale
    /// A refusal by the gateway (4xx) with a code that the table does not know; nothing was sent.
    case unknownRefusal
    /// It may have been sent.
    case ambiguous
}

/// One answer of the gateway, as read from the wire.
package struct Answer: Equatable, Sendable {
    /// The class of `code`; a reply with a BizId counts as ``CodeClass/success`` whatever else it says.
    package var codeClass: CodeClass
    /// The API's code, such as `OK` or `isv.BUSINESS_LIMIT_CONTROL`.
    package var code: String
    /// The API's text.
    package var message: String
    /// The receipt id; `nil` where the answer has none.
    package var bizID: String?
    /// The gateway's id of the request; `nil` where the answer has none.
    package var requestID: String?
    /// The wait that the gateway asks for (`x-acs-retry-after`); `nil` where it asks for none.
    package var retryAfter: Duration?

    /// Creates an answer from its parts.
    package init(
        codeClass: CodeClass,
        code: String,
        message: String,
        bizID: String? = nil,
        requestID: String? = nil,
        retryAfter: Duration? = nil,
    ) {
        self.codeClass = codeClass
        self.code = code
        self.message = message
        self.bizID = bizID
        self.requestID = requestID
        self.retryAfter = retryAfter
    }
}
