// SPDX-License-Identifier: Apache-2.0

/// How requests are signed.
package enum SignatureScheme: String, CaseIterable, Equatable, Sendable {
    /// `ACS3-HMAC-SHA256`: in headers, over a digest of the body.
    case v3
    /// `SignatureVersion` 1.0, HMAC-SHA1: in the query, over all parameters.
    case v1
}
