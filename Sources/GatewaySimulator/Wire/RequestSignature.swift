// SPDX-License-Identifier: Apache-2.0

/// The signature that came with a request, and what the gateway itself derives from the received bytes to compare it with.
///
/// Nothing here is shared with the client's signer: parameters are decoded, sorted and encoded again from what arrived.
struct RequestSignature: Sendable {
    /// The signature scheme.
    enum Scheme: Equatable, Sendable {
        /// HMAC-SHA1 over all parameters (`SignatureVersion=1.0`). Source: api 2.2.
        case v1
        /// `ACS3-HMAC-SHA256` over headers, query and body. Source: api 2.3.
        case v3
    }

    /// The scheme.
    var scheme: Scheme
    /// The API call that the request names.
    var action: String
    /// The API version that the request names.
    var version: String
    /// Whose secret signed it.
    var accessKeyID: String
    /// When it was signed.
    var time: WallTime
    /// The replay guard; V3 requests may lack it.
    var nonce: String?
    /// The token of a temporary key.
    var securityToken: String?
    /// The signature as received.
    var signature: [UInt8]
    /// What the gateway signs.
    var stringToSign: [UInt8]
    /// The canonical request of V3, which the string to sign holds as a hash; empty for V1.
    var canonicalRequest: [UInt8] = []
    /// Whether the body is the one whose hash was signed; V1 covers a form body by its parameters.
    var bodyIsIntact = true

    /// Reads the signature of a request by the scheme that the request itself shows.
    ///
    /// - Throws: The ``Refusal`` for a missing or malformed common parameter, in the order in which the gateway looks.
    init(_ request: SimulatedRequest, parameters: ParameterList) throws(Refusal) {
        if let authorization = request.header("authorization") {
            try self.init(request, parameters: parameters, authorization: authorization)
        } else {
            try self.init(request, commonParametersIn: parameters)
        }
    }

    /// Whether a secret gives the signature that came.
    func matches(secret: String) -> Bool {
        let expected =
            switch scheme {
            case .v1: Digest.hmacSHA1Base64(key: Array(secret.utf8) + [UInt8(ascii: "&")], message: stringToSign.span)
            case .v3: Digest.hmacSHA256Hex(key: Array(secret.utf8), message: stringToSign.span)
            }
        return Digest.equalInConstantTime(expected.span, signature.span) && bodyIsIntact
    }

    /// The refusal for a signature that does not match; it shows what the gateway signed.
    ///
    /// Source of the texts: api 2.6.
    var mismatch: Refusal {
        let signed = String(decoding: stringToSign, as: UTF8.self)
        let message =
            switch scheme {
            case .v1:
                "Specified signature is not matched with our calculation. server string to sign is:\(signed)"
            case .v3:
                "Specified signature does not match our calculation. server StringToSign is [\(signed)] "
                    + "server CanonicalRequest is [\(String(decoding: canonicalRequest, as: UTF8.self))]"
            }
        return .gateway("SignatureDoesNotMatch", 400, message)
    }

    // MARK: V1

    private init(_ request: SimulatedRequest, commonParametersIn parameters: ParameterList) throws(Refusal) {
        func required(_ name: StaticString) throws(Refusal) -> String {
            guard let text = parameters.text(of: name), !text.isEmpty else { throw .missing(name.description) }
            return text
        }
        scheme = .v1
        action = try required("Action")
        version = try required("Version")
        accessKeyID = try required("AccessKeyId")
        signature = Array(try required("Signature").utf8)
        guard try required("SignatureMethod") == "HMAC-SHA1" else { throw .named("InvalidSignatureMethod") }
        guard try required("SignatureVersion") == "1.0" else {
            throw .gateway("InvalidSignatureVersion", 400, "Specified signature version is not valid.")
        }
        nonce = try required("SignatureNonce")
        guard let time = WallTime(timestamp: try required("Timestamp")) else { throw .named("InvalidTimeStamp.Format") }
        self.time = time
        securityToken = parameters.text(of: "SecurityToken")
        stringToSign = Self.stringToSignV1(method: request.method, parameters)
    }

    /// `METHOD&%2F&` and the canonical query, encoded a second time.
    private static func stringToSignV1(method: String, _ parameters: ParameterList) -> [UInt8] {
        let bytes = parameters.bytes.span
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 4 + 64)
        output.append(contentsOf: method.utf8)
        output.append(contentsOf: "&%2F&".utf8)
        var isFirst = true
        for entry in parameters.sortedEntries(queryOnly: false) where parameters.text(in: entry.name) != "Signature" {
            if !isFirst { output.append(contentsOf: "%26".utf8) }
            isFirst = false
            PercentCoding.appendTwiceEncoded(bytes, in: entry.name, to: &output)
            output.append(contentsOf: "%3D".utf8)
            PercentCoding.appendTwiceEncoded(bytes, in: entry.value, to: &output)
        }
        return output
    }

    // MARK: V3

    private init(
        _ request: SimulatedRequest,
        parameters: ParameterList,
        authorization: String,
    ) throws(Refusal) {
        let fields = try AuthorizationFields(authorization)
        func required(_ header: String, missing: String) throws(Refusal) -> String {
            guard let value = request.header(header), !value.isEmpty else { throw .missing(missing) }
            return value
        }
        scheme = .v3
        action = try required("x-acs-action", missing: "Action")
        version = try required("x-acs-version", missing: "Version")
        let date = try required("x-acs-date", missing: "Timestamp")
        guard let time = WallTime(timestamp: date) else { throw .named("InvalidTimeStamp.Format") }
        self.time = time
        let promisedHash = try required("x-acs-content-sha256", missing: "ContentSha256")
        nonce = request.header("x-acs-signature-nonce")
        securityToken = request.header("x-acs-security-token")
        accessKeyID = fields.accessKeyID
        signature = Array(fields.signature.utf8)
        try Self.checkCoverage(request, signedHeaders: fields.signedHeaders)
        let bodyHash = Digest.sha256Hex(request.body.span)
        let canonical = Self.canonicalRequestV3(request, parameters, fields.signedHeaders, bodyHash: bodyHash)
        stringToSign = Array("ACS3-HMAC-SHA256\n".utf8) + Digest.sha256Hex(canonical.span)
        canonicalRequest = canonical
        bodyIsIntact = Array(promisedHash.utf8) == bodyHash
    }

    /// Every `x-acs-*`, `host` and `content-type` that the request carries must be signed.
    ///
    /// Source: DOC-V3.
    private static func checkCoverage(_ request: SimulatedRequest, signedHeaders: [String]) throws(Refusal) {
        for header in request.headers where !signedHeaders.contains(where: { header.isNamed($0) }) {
            let name = header.name.lowercased()
            if name.hasPrefix("x-acs-") || name == "host" || name == "content-type" {
                throw .gateway("IncompleteSignature", 400, "The header \(name) must be among the signed headers.")
            }
        }
    }

    private static func canonicalRequestV3(
        _ request: SimulatedRequest,
        _ parameters: ParameterList,
        _ signedHeaders: [String],
        bodyHash: [UInt8],
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(request.target.count + 1_024)
        output.append(contentsOf: request.method.utf8)
        output.append(contentsOf: "\n/\n".utf8)
        let bytes = parameters.bytes.span
        for (index, entry) in parameters.sortedEntries(queryOnly: true).enumerated() {
            if index > 0 { output.append(UInt8(ascii: "&")) }
            PercentCoding.appendEncoded(bytes, in: entry.name, to: &output)
            output.append(UInt8(ascii: "="))
            PercentCoding.appendEncoded(bytes, in: entry.value, to: &output)
        }
        output.append(UInt8(ascii: "\n"))
        for name in signedHeaders {
            output.append(contentsOf: name.utf8)
            output.append(UInt8(ascii: ":"))
            let values = request.headers.lazy.filter { $0.isNamed(name) }.map { Self.trimmed($0.value) }
            output.append(contentsOf: values.sorted().joined(separator: ",").utf8)
            output.append(UInt8(ascii: "\n"))
        }
        output.append(contentsOf: "\n\(signedHeaders.joined(separator: ";"))\n".utf8)
        output.append(contentsOf: bodyHash)
        return output
    }

    /// A header's value without the blanks around it, as the client has signed it; HTTP drops those before it only.
    private static func trimmed(_ value: String) -> Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let rest = value.drop(while: isBlank)
        return rest.prefix(upTo: rest.lastIndex { !isBlank($0) }.map { rest.index(after: $0) } ?? rest.startIndex)
    }
}

/// The fields of an `Authorization` header of signature V3.
struct AuthorizationFields: Equatable, Sendable {
    /// `Credential`.
    var accessKeyID: String
    /// `SignedHeaders`, sorted, in lower case.
    var signedHeaders: [String]
    /// `Signature`.
    var signature: String

    /// Reads the header's value, such as `ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…`.
    ///
    /// - Throws: The ``Refusal`` for another algorithm or a missing field.
    init(_ text: String) throws(Refusal) {
        let algorithm = "ACS3-HMAC-SHA256 "
        guard text.hasPrefix(algorithm) else {
            throw .named(text.hasPrefix("ACS3-") ? "InvalidSignatureMethod" : "IncompleteSignature")
        }
        // By bytes: to look for the borders of characters costs more than to check the signature.
        let fields = text.utf8.dropFirst(algorithm.utf8.count)
        var (accessKeyID, headers, signature) = ("", "", "")
        for field in fields.split(separator: UInt8(ascii: ",")) {
            guard let equals = field.firstIndex(of: UInt8(ascii: "=")) else { throw .named("IncompleteSignature") }
            let value = String(Substring(field[field.index(after: equals)...]))
            switch Substring(field[..<equals].drop { $0 == UInt8(ascii: " ") }) {
            case "Credential": accessKeyID = value
            case "SignedHeaders": headers = value
            case "Signature": signature = value
            default: break
            }
        }
        guard !accessKeyID.isEmpty, !headers.isEmpty, !signature.isEmpty else { throw .named("IncompleteSignature") }
        self.accessKeyID = accessKeyID
        self.signature = signature
        signedHeaders = headers.utf8.split(separator: UInt8(ascii: ";")).map { Substring($0).lowercased() }.sorted()
    }
}
