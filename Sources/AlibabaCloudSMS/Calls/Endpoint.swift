// SPDX-License-Identifier: Apache-2.0

/// Host names of the service.
///
/// Source: SMS API reference, "Endpoints".
package enum Endpoint {
    /// Takes the SMS API's actions for the mainland regions and any region without an endpoint of its own.
    package static let sms = "dysmsapi.aliyuncs.com"
    /// Hands out the tokens of the receipt queue.
    package static let receiptTokens = "dybaseapi.aliyuncs.com"
}
