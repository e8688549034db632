// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A digest algorithm of libcrypto.
package enum DigestAlgorithm: Sendable {
    /// SHA-256, of signature V3.
    case sha256
    /// SHA-1, of signature V1 and the queue's signature; used in an HMAC only.
    case sha1
    /// MD5, of the queue's body checksum; guards against damage only.
    case md5

    /// The length of a digest in bytes.
    package var digestLength: Int {
        switch self {
        case .sha256: 32
        case .sha1: 20
        case .md5: 16
        }
    }

    /// The name that libcrypto knows the algorithm by.
    var name: String {
        switch self {
        case .sha256: "SHA256"
        case .sha1: "SHA1"
        case .md5: "MD5"
        }
    }
}

/// Stops the process when a call of libcrypto fails, which happens only without memory or without its providers.
func checkCrypto(_ succeeded: Bool, _ call: StaticString) {
    guard succeeded else { fatalError("libcrypto: \(call) failed; is OpenSSL's default provider installed?") }
}
