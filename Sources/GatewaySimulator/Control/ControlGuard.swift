// SPDX-License-Identifier: Apache-2.0

/// Keeps pages of other sites away from what the simulator captured.
///
/// A browser on this machine may be led to the simulator's port by any page. It is let in only under an address that no
/// foreign name can take over, and only from the simulator's own page. A simulator that other machines reach, such as the
/// containers of a test network, is called by any name.
enum ControlGuard {
    /// Why a request below `/_sim` is refused; `nil` if it is not.
    static func refusal(of request: SimulatedRequest, isLoopback: Bool) -> SimulatedAnswer? {
        let host = request.header("host") ?? ""
        guard !isLoopback || isAddress(host) else {
            return .problem(403, "Call the simulator by an IP address or as localhost, not as \(host).")
        }
        guard let origin = request.header("origin"), origin != "http://\(host)" else { return nil }
        return .problem(403, "Pages of other origins may not call the simulator.")
    }

    /// Whether a `Host` is `localhost` or an IP address, with or without a port.
    static func isAddress(_ host: String) -> Bool {
        if host.hasPrefix("[") { return true }
        let name = host.split(separator: ":", omittingEmptySubsequences: false).first ?? ""
        if name.lowercased() == "localhost" { return true }
        return !name.isEmpty && name.utf8.allSatisfy { $0 == UInt8(ascii: ".") || ($0 >= 0x30 && $0 <= 0x39) }
    }
}
