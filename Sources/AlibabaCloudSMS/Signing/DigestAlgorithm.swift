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

/// Prepares libcrypto for digests, once in the process.
///
/// It reads its configuration, which may name other providers, but not the texts of its errors and the names of old
/// ciphers, and leaves its memory to the end of the process: that took a fourteenth of a short run.
func prepareCrypto() {
    checkCrypto(isCryptoPrepared, "OPENSSL_init_crypto")
}

private let isCryptoPrepared: Bool = {
    let options =
        OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS
        | OPENSSL_INIT_NO_ATEXIT
    return OPENSSL_init_crypto(UInt64(options), nil) == 1
}()

/// Stops the process when a call of libcrypto fails, which happens only without memory or without its providers.
func checkCrypto(_ succeeded: Bool, _ call: StaticString) {
    guard succeeded else { fatalError("libcrypto: \(call) failed; is OpenSSL's default provider installed?") }
}
