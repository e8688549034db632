// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOSSL

extension NIOSSLCertificate {
    /// Whether the certificate is for an endpoint's host.
    func isFor(_ endpoint: GatewayEndpoint) -> Bool {
        endpoint.isAddress ? isFor(address: endpoint.host) : isFor(name: endpoint.host)
    }

    private func isFor(address: String) -> Bool {
        guard let bytes = Self.bytes(ofAddress: address) else { return false }
        return _subjectAlternativeNames().contains { $0.nameType == .ipAddress && $0.contents.elementsEqual(bytes) }
    }

    /// The bytes of an IPv4 or IPv6 address; `nil` for what is none.
    static func bytes(ofAddress text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if unsafe inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    /// Whether a certificate that NIOSSL took for a host by its name is really for that name.
    ///
    /// NIOSSL is content with the peer's address, too, if that stands in the certificate. But whoever answers for a name
    /// falsely has a certificate for the own address easily. Source: RFC 6125, section 6.2.1.
    private func isFor(name hostName: String) -> Bool {
        let names = _subjectAlternativeNames()
        let hasAddresses = names.contains { $0.nameType == .ipAddress }
        return !hasAddresses
            || names.contains { name in
                name.nameType == .dnsName
                    && Self.matches(String(decoding: name.contents, as: UTF8.self), hostName)
            }
    }

    /// Whether a name of a certificate, perhaps with `*` for its first label, is a host's.
    static func matches(_ name: String, _ hostName: String) -> Bool {
        let (name, hostName) = (name.lowercased(), hostName.lowercased())
        guard name.hasPrefix("*.") else { return name == hostName }
        guard let dot = hostName.firstIndex(of: "."), dot > hostName.startIndex else { return false }
        return name.dropFirst() == hostName[dot...]
    }
}
