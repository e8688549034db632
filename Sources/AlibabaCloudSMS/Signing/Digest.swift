// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Computes digests one after the other with one context of libcrypto.
///
/// The algorithm is fetched and the context made once; libcrypto still allocates a state for each digest.
@safe
package struct Digest: ~Copyable {
    private let algorithm: DigestAlgorithm
    private let method: OpaquePointer
    private let context: OpaquePointer

    /// Creates a computation that waits for its first bytes.
    ///
    /// - Parameter algorithm: The algorithm of all its digests.
    package init(_ algorithm: DigestAlgorithm) {
        prepareCrypto()
        self.algorithm = algorithm
        guard let method = unsafe EVP_MD_fetch(nil, algorithm.name, nil), let context = unsafe EVP_MD_CTX_new() else {
            fatalError("libcrypto: no \(algorithm.name); is OpenSSL's default provider installed?")
        }
        unsafe self.method = method
        unsafe self.context = context
        checkCrypto(unsafe EVP_DigestInit_ex2(context, method, nil) == 1, "EVP_DigestInit_ex2")
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
        unsafe EVP_MD_free(method)
    }

    /// Takes the next bytes into the digest.
    ///
    /// - Parameter bytes: The bytes that follow those of earlier calls.
    /// - Complexity: O(*n*) in the number of bytes.
    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            checkCrypto(unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "EVP_DigestUpdate")
        }
    }

    /// Takes the next bytes into the digest.
    ///
    /// - Parameter bytes: The bytes that follow those of earlier calls.
    /// - Complexity: O(*n*) in the number of bytes.
    package mutating func update(_ bytes: [UInt8]) {
        update(bytes.span)
    }

    /// Returns the digest of the bytes taken so far and starts over.
    package mutating func finish() -> DigestValue {
        let value = DigestValue(count: algorithm.digestLength) { target in
            checkCrypto(unsafe EVP_DigestFinal_ex(context, target, nil) == 1, "EVP_DigestFinal_ex")
        }
        checkCrypto(unsafe EVP_DigestInit_ex2(context, nil, nil) == 1, "EVP_DigestInit_ex2")
        return value
    }

    /// Returns the digest of bytes.
    ///
    /// - Parameters:
    ///   - bytes: All bytes of the message.
    ///   - algorithm: The algorithm.
    /// - Returns: The digest's bytes.
    /// - Complexity: O(*n*) in the number of bytes.
    package static func of(_ bytes: Span<UInt8>, _ algorithm: DigestAlgorithm) -> [UInt8] {
        var digest = Digest(algorithm)
        digest.update(bytes)
        return digest.finish().bytes
    }
}
