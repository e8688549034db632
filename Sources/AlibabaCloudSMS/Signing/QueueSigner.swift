// SPDX-License-Identifier: Apache-2.0

/// Signs requests to the message queue that delivery receipts come from.
///
/// Source: MNS API reference, "Request signatures"; the queue client of the official SMS SDKs.
package struct QueueSigner: ~Copyable {
    /// The version that requests name.
    package static let version = "2015-06-06"

    private let credentials: Credentials
    private var hmac: HMAC

    /// Creates a signer.
    ///
    /// - Parameter credentials: The temporary credentials that QueryTokenForMnsQueue gave.
    package init(credentials: Credentials) {
        self.credentials = credentials
        hmac = HMAC(.sha1, key: credentials.accessKeySecret.revealedBytes.span)
    }

    /// Signs a request.
    ///
    /// - Parameters:
    ///   - method: The method, such as `GET` or `DELETE`.
    ///   - host: The queue's endpoint, as the `Host` header names it.
    ///   - resource: The path with the query.
    ///   - body: An XML document, or nothing.
    ///   - epochSeconds: The time in seconds since 1970-01-01T00:00:00Z.
    /// - Returns: All headers but `content-length`, `host` first.
    package mutating func headers(
        method: String,
        host: String,
        resource: String,
        body: Span<UInt8>,
        at epochSeconds: Int,
    ) -> [HTTPField] {
        let date = CivilTime(epochSeconds: epochSeconds).httpDate
        var headers = [HTTPField("host", host), HTTPField("date", date), HTTPField("x-mns-version", Self.version)]
        var contentType = ""
        var contentMD5 = ""
        if !body.isEmpty {
            contentType = "text/xml;charset=UTF-8"
            contentMD5 = Self.contentMD5(body)
            headers.append(HTTPField("content-type", contentType))
            headers.append(HTTPField("content-md5", contentMD5))
        }
        let stringToSign = Self.stringToSign(
            method: method,
            contentMD5: contentMD5,
            contentType: contentType,
            date: date,
            resource: resource,
        )
        hmac.update(stringToSign.utf8.span)
        let signature = Self.base64(hmac.finish().bytes)
        headers.append(HTTPField("authorization", "MNS \(credentials.accessKeyID):\(signature)"))
        // Not part of what is signed.
        if let securityToken = credentials.securityToken {
            headers.append(HTTPField("security-token", securityToken.revealed))
        }
        return headers
    }

    /// The text that is signed for given headers.
    package static func stringToSign(
        method: String,
        contentMD5: String,
        contentType: String,
        date: String,
        resource: String,
    ) -> String {
        "\(method)\n\(contentMD5)\n\(contentType)\n\(date)\nx-mns-version:\(version)\n\(resource)"
    }

    /// The checksum as the queue takes it: the Base64 of the digest's hexadecimal digits, not of its bytes.
    private static func contentMD5(_ body: Span<UInt8>) -> String {
        var digits: [UInt8] = []
        Hexadecimal.append(Digest.of(body, .md5).span, to: &digits)
        return base64(digits)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        Base64.append(bytes.span, to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
