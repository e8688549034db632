// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS

/// An HTTP proxy that connections to the gateway are tunnelled through.
package struct Proxy: Equatable, Sendable {
    /// The proxy's host name or address.
    package let host: String
    /// The proxy's port.
    package let port: Int
    /// The value of `Proxy-Authorization`; `nil` for a proxy that asks for none.
    package let authorization: String?

    /// The proxy for an endpoint, by the usual variables.
    ///
    /// `HTTPS_PROXY` (or its lower-case form) names the proxy, `NO_PROXY` hosts, domains and addresses that are reached without
    /// one, `*` for all. Endpoints without encryption are on this machine or in its network and never use one.
    ///
    /// - Parameters:
    ///   - endpoint: Where requests go.
    ///   - environment: The environment's variables.
    /// - Returns: `nil` where none is to be used.
    /// - Throws: ``GatewayConfigurationError`` if the variable cannot be understood.
    package static func proxy(
        for endpoint: GatewayEndpoint,
        environment: [String: String],
    ) throws(GatewayConfigurationError) -> Proxy? {
        guard endpoint.isEncrypted else { return nil }
        let text = [environment["HTTPS_PROXY"], environment["https_proxy"]].compactMap { $0 }.first { !$0.isEmpty }
        guard let text else { return nil }
        let exceptions = environment["NO_PROXY"] ?? environment["no_proxy"] ?? ""
        guard !isException(endpoint.host, exceptions) else { return nil }
        guard let proxy = Proxy(text) else { throw .proxy }
        return proxy
    }

    private init?(_ text: String) {
        var rest = Substring(text)
        if rest.lowercased().hasPrefix("http://") {
            rest = rest.dropFirst("http://".count)
        } else if rest.contains("://") {
            return nil
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var authorization: String?
        if let at = rest.lastIndex(of: "@") {
            guard var user = Self.percentDecoded(rest[..<at]) else { return nil }
            // RFC 7617: the colon stands there without a password, too.
            if !rest[..<at].contains(":") { user.append(UInt8(ascii: ":")) }
            var credentials = Array("Basic ".utf8)
            Base64.append(user.span, to: &credentials)
            authorization = String(decoding: credentials, as: UTF8.self)
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = GatewayEndpoint.hostAndPort(rest) else { return nil }
        self.host = host
        self.port = port ?? 8080
        self.authorization = authorization
    }

    private static func isException(_ host: String, _ exceptions: String) -> Bool {
        let host = host.lowercased()
        return exceptions.split(whereSeparator: { $0 == "," || $0 == " " }).contains { exception in
            if exception == "*" { return true }
            var domain = exception.lowercased()
            if domain.hasPrefix("*") { domain.removeFirst() }
            if domain.hasPrefix(".") { domain.removeFirst() }
            return host == domain || host.hasSuffix(".\(domain)")
        }
    }

    private static func percentDecoded(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}

/// A gateway that cannot be configured as asked.
package enum GatewayConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The proxy variable is no proxy.
    case proxy
    /// A file of certificates cannot be used.
    case certificates(path: String, why: String)

    package var description: String {
        switch self {
        case .proxy:
            "HTTPS_PROXY is not a proxy that smspipe can use; give http://host:port, or unset it"
        case .certificates(let path, let why):
            "--ca-file \(path) cannot be used: \(why)"
        }
    }
}
