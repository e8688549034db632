// SPDX-License-Identifier: Apache-2.0

/// An action of the service and the version of the API that has it.
///
/// Source: SMS API reference, version 2017-05-25.
package struct Action: Equatable, Hashable, Sendable {
    /// The name, such as `SendBatchSms`.
    package let name: String
    /// The API version, such as `2017-05-25`.
    package let version: String

    /// Creates an action.
    package init(_ name: String, version: String = Action.smsVersion) {
        self.name = name
        self.version = version
    }

    /// The version of the SMS API, and of the API that hands out the tokens of the receipt queue.
    package static let smsVersion = "2017-05-25"

    /// Sends up to 100 messages of one template, each with its own sign name and parameters.
    package static let sendBatchSms = Action("SendBatchSms")
    /// Sends one text to up to 1,000 numbers.
    package static let sendSms = Action("SendSms")
    /// Lists what became of the messages to one number on one day.
    package static let querySendDetails = Action("QuerySendDetails")
    /// Counts the messages of a range of days.
    package static let querySendStatistics = Action("QuerySendStatistics")
    /// Describes a template, with the attributes of its variables.
    package static let getSmsTemplate = Action("GetSmsTemplate")
    /// Describes a template, in the older form.
    package static let querySmsTemplate = Action("QuerySmsTemplate")
    /// Lists the account's templates.
    package static let querySmsTemplateList = Action("QuerySmsTemplateList")
    /// Describes a sign name, with its state at the carriers.
    package static let getSmsSign = Action("GetSmsSign")
    /// Describes a sign name, in the older form.
    package static let querySmsSign = Action("QuerySmsSign")
    /// Lists the account's sign names.
    package static let querySmsSignList = Action("QuerySmsSignList")
    /// Hands out a token for the queue of delivery receipts; an action of ``Endpoint/receiptTokens``.
    package static let queryTokenForMnsQueue = Action("QueryTokenForMnsQueue")
}
