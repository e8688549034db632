// SPDX-License-Identifier: Apache-2.0

/// Where receipts are pushed: an `http` URL.
package struct ReceiptAddress: Equatable, Sendable {
    /// The host's name or address.
    package let host: String
    /// The port; 80 where the URL has none.
    package let port: Int
    /// The request target; `/` where the URL has none.
    package let target: String

    /// Reads a URL such as `http://127.0.0.1:8080/receipts`; `nil` for one that is no `http` URL.
    package init?(_ url: String) {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst(7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest[authority.endIndex...]
        target = path.hasPrefix("/") ? String(path) : "/" + path
        let colon = authority.hasSuffix("]") ? nil : authority.lastIndex(of: ":")
        let name = authority[..<(colon ?? authority.endIndex)]
        host = String(name.hasPrefix("[") ? name.dropFirst().dropLast() : name)
        guard let port = colon.map({ Int(authority[authority.index(after: $0)...]) }) ?? 80, !host.isEmpty,
            (1...65_535).contains(port)
        else { return nil }
        self.port = port
    }
}
