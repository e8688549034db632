// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The hashes that the service's signatures use, by the system's libcrypto.
enum Digest {
    /// SHA-256 of some bytes, in lower-case hexadecimal digits.
    static func sha256Hex(_ bytes: Span<UInt8>) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe bytes.withUnsafeBufferPointer { input in
            _ = unsafe digest.withUnsafeMutableBufferPointer { output in
                unsafe SHA256(input.baseAddress, input.count, output.baseAddress)
            }
        }
        return hex(digest)
    }

    /// HMAC-SHA256 of a message, in lower-case hexadecimal digits.
    static func hmacSHA256Hex(key: [UInt8], message: Span<UInt8>) -> [UInt8] {
        hex(unsafe hmac(EVP_sha256(), byteCount: 32, key: key, message: message))
    }

    /// HMAC-SHA1 of a message, in base64.
    static func hmacSHA1Base64(key: [UInt8], message: Span<UInt8>) -> [UInt8] {
        Base64.encode(unsafe hmac(EVP_sha1(), byteCount: 20, key: key, message: message))
    }

    /// MD5 of some bytes, in upper-case hexadecimal digits; no secret rests on it.
    static func md5Hex(_ bytes: Span<UInt8>) -> String {
        var digest = [UInt8](repeating: 0, count: 16)
        unsafe bytes.withUnsafeBufferPointer { input in
            _ = unsafe digest.withUnsafeMutableBufferPointer { output in
                unsafe EVP_Digest(input.baseAddress, input.count, output.baseAddress, nil, EVP_md5(), nil)
            }
        }
        return String(decoding: hex(digest), as: UTF8.self).uppercased()
    }

    /// Whether two byte strings are equal, in a time that depends on their lengths alone.
    static func equalInConstantTime(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    private static func hmac(
        _ algorithm: OpaquePointer?,
        byteCount: Int,
        key: [UInt8],
        message: Span<UInt8>,
    ) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        unsafe message.withUnsafeBufferPointer { input in
            _ = unsafe digest.withUnsafeMutableBufferPointer { output in
                unsafe HMAC(
                    algorithm,
                    key,
                    CInt(key.count),
                    input.baseAddress,
                    input.count,
                    output.baseAddress,
                    nil,
                )
            }
        }
        return digest
    }

    private static func hex(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            output.append(digits[Int(byte >> 4)])
            output.append(digits[Int(byte & 15)])
        }
        return output
    }
}

/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
    /// Encodes bytes.
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let second = start + 1 < bytes.count ? bytes[start + 1] : 0
            let third = start + 2 < bytes.count ? bytes[start + 2] : 0
            let group = UInt32(bytes[start]) << 16 | UInt32(second) << 8 | UInt32(third)
            output.append(digits[Int(group >> 18)])
            output.append(digits[Int(group >> 12 & 63)])
            output.append(start + 1 < bytes.count ? digits[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            output.append(start + 2 < bytes.count ? digits[Int(group & 63)] : UInt8(ascii: "="))
        }
        return output
    }
}
