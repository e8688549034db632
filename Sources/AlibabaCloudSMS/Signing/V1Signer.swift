// SPDX-License-Identifier: Apache-2.0

/// Signs requests with the older scheme of RPC calls, `SignatureVersion` 1.0 with HMAC-SHA1.
///
/// Source: SMS "request signature".
package struct V1Signer: ~Copyable {
    /// How much of the string to sign is written before the HMAC takes it.
    private static let chunkBytes = 16 * 1_024

    private var hmac: HMAC
    private var chunk: [UInt8] = []

    /// Creates a signer for one access key.
    ///
    /// - Parameter accessKeySecret: The key's secret; the scheme's `&` is appended here.
    package init(accessKeySecret: Secret) {
        let key = accessKeySecret.revealedBytes + [UInt8(ascii: "&")]
        hmac = HMAC(.sha1, key: key.span)
    }

    /// Signs the parameters of a request to the path `/`.
    ///
    /// Where a parameter travels does not matter: a query and a form are signed as their union. The string to sign goes
    /// into the HMAC in chunks and is never built whole.
    ///
    /// - Parameters:
    ///   - method: The method; it is part of what is signed.
    ///   - query: The parameters of the query, without `Signature`.
    ///   - form: The parameters of the form body.
    /// - Returns: The signature in Base64, not percent-encoded.
    /// - Complexity: O(*n*) in the bytes of both.
    package mutating func sign(method: HTTPMethod, query: EncodedParameters, form: EncodedParameters) -> String {
        // Taken out of `self`, which the closure below needs.
        var text: [UInt8] = []
        swap(&text, &chunk)
        text.removeAll(keepingCapacity: true)
        Self.writeStringToSign(method: method, query: query, form: form, to: &text) { written in
            hmac.update(written.span)
            written.removeAll(keepingCapacity: true)
        }
        swap(&text, &chunk)

        var base64: [UInt8] = []
        base64.reserveCapacity(28)
        Base64.append(hmac.finish().bytes.span, to: &base64)
        return String(decoding: base64, as: UTF8.self)
    }

    /// Returns the whole string to sign, to compare it with the one that the gateway names in a refusal.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - query: The parameters of the query, without `Signature`.
    ///   - form: The parameters of the form body.
    /// - Returns: `METHOD&%2F&` and the canonical query, encoded once more.
    /// - Complexity: O(*n*) in the bytes of both.
    package static func stringToSign(
        method: HTTPMethod,
        query: EncodedParameters,
        form: EncodedParameters,
    ) -> [UInt8] {
        var text: [UInt8] = []
        writeStringToSign(method: method, query: query, form: form, to: &text) { _ in }
        return text
    }

    /// Writes the string to sign, calling a function now and then that may take what was written so far.
    private static func writeStringToSign(
        method: HTTPMethod,
        query: EncodedParameters,
        form: EncodedParameters,
        to text: inout [UInt8],
        flush: (inout [UInt8]) -> Void,
    ) {
        text.append(contentsOf: method.rawValue.utf8)
        text.append(contentsOf: "&%2F&".utf8)
        var isFirst = true
        query.forEachMerged(with: form) { source, entry in
            if !isFirst { text.append(contentsOf: "%26".utf8) }
            isFirst = false
            // Names and values are encoded already; this is the second time.
            PercentEncoding.append(source.bytes.span, entry.name, to: &text)
            text.append(contentsOf: "%3D".utf8)
            var start = entry.value.lowerBound
            while start < entry.value.upperBound {
                let end = min(start + chunkBytes, entry.value.upperBound)
                PercentEncoding.append(source.bytes.span, start..<end, to: &text)
                if text.count >= chunkBytes { flush(&text) }
                start = end
            }
        }
        flush(&text)
    }
}
