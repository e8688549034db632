// SPDX-License-Identifier: Apache-2.0

/// Host names of the service.
///
/// Source: SMS API reference, "Endpoints".
package enum Endpoint {
    /// Takes the SMS API's actions for the mainland regions and any region without an endpoint of its own.
    package static let sms = "dysmsapi.aliyuncs.com"
    /// Hands out the tokens of the receipt queue.
    package static let receiptTokens = "dybaseapi.aliyuncs.com"
    /// Has the queues of receipts.
    package static let receiptQueues = "1943695596114318.mns.cn-hangzhou.aliyuncs.com"
    /// The two likewise for the accounts of the international site.
    ///
    /// Source: api 5.2.
    package static let internationalReceiptTokens = "dybaseapi.ap-southeast-1.aliyuncs.com"
    package static let internationalReceiptQueues = "1493622401794734.mns.ap-southeast-1.aliyuncs.com"
}
