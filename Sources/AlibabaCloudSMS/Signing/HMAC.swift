// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Computes keyed digests one after the other with one key and one context of libcrypto.
///
/// The key is prepared once. Source: RFC 2104.
@safe
package struct HMAC: ~Copyable {
    private let algorithm: DigestAlgorithm
    private let context: OpaquePointer

    /// Creates a computation that waits for its first bytes.
    ///
    /// - Parameters:
    ///   - algorithm: The algorithm of the digests.
    ///   - key: The key; libcrypto keeps a copy and clears it at the end.
    package init(_ algorithm: DigestAlgorithm, key: Span<UInt8>) {
        prepareCrypto()
        self.algorithm = algorithm
        let method = unsafe EVP_MAC_fetch(nil, "HMAC", nil)
        guard let context = unsafe EVP_MAC_CTX_new(method) else {
            fatalError("libcrypto: no HMAC; is OpenSSL's default provider installed?")
        }
        // The context holds a reference of its own.
        unsafe EVP_MAC_free(method)
        unsafe self.context = context
        let succeeded = unsafe key.withUnsafeBufferPointer { key in
            var name = Array(algorithm.name.utf8CString)
            return unsafe name.withUnsafeMutableBufferPointer { name in
                let parameters = unsafe [
                    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.baseAddress, 0),
                    OSSL_PARAM_construct_end(),
                ]
                // A nil key would mean the previous one, so an empty key still needs an address.
                var none: UInt8 = 0
                return unsafe withUnsafePointer(to: &none) { none in
                    unsafe EVP_MAC_init(context, key.baseAddress ?? none, key.count, parameters) == 1
                }
            }
        }
        checkCrypto(succeeded, "EVP_MAC_init")
    }

    deinit {
        unsafe EVP_MAC_CTX_free(context)
    }

    /// Takes the next bytes into the keyed digest.
    ///
    /// - Parameter bytes: The bytes that follow those of earlier calls.
    /// - Complexity: O(*n*) in the number of bytes.
    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            checkCrypto(unsafe EVP_MAC_update(context, bytes.baseAddress, bytes.count) == 1, "EVP_MAC_update")
        }
    }

    /// Takes the next bytes into the keyed digest.
    ///
    /// - Parameter bytes: The bytes that follow those of earlier calls.
    /// - Complexity: O(*n*) in the number of bytes.
    package mutating func update(_ bytes: [UInt8]) {
        update(bytes.span)
    }

    /// Returns the keyed digest of the bytes taken so far and starts over with the same key.
    package mutating func finish() -> DigestValue {
        let length = algorithm.digestLength
        let value = DigestValue(count: length) { target in
            checkCrypto(unsafe EVP_MAC_final(context, target, nil, length) == 1, "EVP_MAC_final")
        }
        checkCrypto(unsafe EVP_MAC_init(context, nil, 0, nil) == 1, "EVP_MAC_init")
        return value
    }
}
