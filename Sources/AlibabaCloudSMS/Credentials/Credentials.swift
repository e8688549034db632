// SPDX-License-Identifier: Apache-2.0

/// An access key, with what temporary ones have besides.
package struct Credentials: Equatable, Sendable {
    /// The id of the access key; travels in the clear.
    package var accessKeyID: String
    /// The secret that signs.
    package var accessKeySecret: Secret
    /// The token of temporary credentials; `nil` for a permanent key.
    package var securityToken: Secret?
    /// When temporary credentials end, in seconds since 1970-01-01T00:00:00Z; `nil` where that is not known or never.
    package var expiration: Int?

    /// Creates credentials.
    package init(
        accessKeyID: String,
        accessKeySecret: Secret,
        securityToken: Secret? = nil,
        expiration: Int? = nil,
    ) {
        self.accessKeyID = accessKeyID
        self.accessKeySecret = accessKeySecret
        self.securityToken = securityToken
        self.expiration = expiration
    }
}
