// SPDX-License-Identifier: Apache-2.0

/// Where requests go: scheme, host and port.
package struct GatewayEndpoint: Equatable, Sendable {
    /// Whether the connection is encrypted.
    package let isEncrypted: Bool
    /// The host's name or address, an IPv6 address without brackets.
    package let host: String
    /// The port.
    package let port: Int

    /// The value of the `Host` header: the port stands in it only where it is not the scheme's own.
    package var hostHeader: String {
        port == (isEncrypted ? 443 : 80) ? hostName : "\(hostName):\(port)"
    }

    /// The host as it stands before a port, an IPv6 address in brackets.
    var hostName: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    }

    /// Whether the host is this machine.
    package var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.") && host.utf8.allSatisfy(Self.isOfIPv4Address)
    }

    /// Whether the host is an address, which TLS server names cannot be.
    var isAddress: Bool {
        host.utf8.contains(UInt8(ascii: ":")) || host.utf8.allSatisfy(Self.isOfIPv4Address)
    }

    /// Creates an endpoint from its text: `https://host`, `http://host:port`, `host` or `host:port`, without a path.
    package init?(_ text: String) {
        var rest = Substring(text)
        var isEncrypted = true
        if rest.lowercased().hasPrefix("https://") {
            rest = rest.dropFirst("https://".count)
        } else if rest.lowercased().hasPrefix("http://") {
            rest = rest.dropFirst("http://".count)
            isEncrypted = false
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let (host, port) = Self.hostAndPort(rest) else { return nil }
        self.init(isEncrypted: isEncrypted, host: host, port: port ?? (isEncrypted ? 443 : 80))
    }

    /// Creates an endpoint from its parts.
    package init(isEncrypted: Bool, host: String, port: Int) {
        self.isEncrypted = isEncrypted
        self.host = host
        self.port = port
    }

    /// Takes `host`, `host:port`, `[v6]` or `[v6]:port` apart; `nil` if it is none of them.
    static func hostAndPort(_ text: Substring) -> (host: String, port: Int?)? {
        let host: Substring
        var rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<end]
            rest = text[end...]
        }
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"): text.hasPrefix("[")
            default: false
            }
        }
        guard !host.isEmpty, isName else { return nil }
        guard !rest.isEmpty else { return (String(host), nil) }
        guard rest.removeFirst() == ":", rest.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            let port = Int(rest), (1...65535).contains(port)
        else { return nil }
        return (String(host), port)
    }

    private static func isOfIPv4Address(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
