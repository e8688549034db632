// SPDX-License-Identifier: Apache-2.0

import PipeRuntime
import Testing

struct EndpointTests {
    @Test(arguments: [
        ("dysmsapi.aliyuncs.com", true, "dysmsapi.aliyuncs.com", 443, "dysmsapi.aliyuncs.com"),
        ("https://host", true, "host", 443, "host"),
        ("HTTPS://host/", true, "host", 443, "host"),
        ("https://host:8443", true, "host", 8443, "host:8443"),
        ("https://host:80", true, "host", 80, "host:80"),
        ("host:443", true, "host", 443, "host"),
        ("http://127.0.0.1:8080/", false, "127.0.0.1", 8080, "127.0.0.1:8080"),
        ("http://host:80", false, "host", 80, "host"),
        ("http://[::1]:8080", false, "::1", 8080, "[::1]:8080"),
        ("https://[fe80::1]", true, "fe80::1", 443, "[fe80::1]"),
    ])
    func `reads an endpoint`(_ text: String, _ isEncrypted: Bool, _ host: String, _ port: Int, _ header: String) {
        let endpoint = GatewayEndpoint(text)
        #expect(endpoint == GatewayEndpoint(isEncrypted: isEncrypted, host: host, port: port))
        #expect(endpoint?.hostHeader == header)
    }

    @Test(arguments: [
        "", "https://", "http:///", "ftp://host", "host:", "host:0", "host:65536", "host:-1", "host:+80", "host:8 0",
        "host/path", "user@host", "ho st", "host?x", "::1", "[::1", "[]", "[::1]x", "[::1]:x", "h\u{f6}st", "host\r\nx",
        "host:٣",
    ])
    func `refuses what is none`(_ text: String) {
        #expect(GatewayEndpoint(text) == nil)
    }

    @Test(
        arguments: zip(
            [
                "localhost", "127.0.0.1", "127.1.2.3", "[::1]", "127.evil.example", "128.0.0.1", "localhost.example",
                "0.0.0.0",
            ],
            [true, true, true, true, false, false, false, false],
        )
    )
    func `knows this machine`(_ host: String, _ isLoopback: Bool) {
        #expect(GatewayEndpoint(host)?.isLoopback == isLoopback)
    }
}

struct ProxyTests {
    private static let endpoint = GatewayEndpoint(isEncrypted: true, host: "dysmsapi.aliyuncs.com", port: 443)

    @Test(arguments: [
        ("http://proxy:3128", "proxy", 3128), ("http://proxy:3128/", "proxy", 3128), ("proxy:3128", "proxy", 3128),
        ("HTTP://proxy", "proxy", 8080), ("http://user:p%40ss@proxy:1", "proxy", 1), ("http://[::1]:8", "::1", 8),
    ])
    func `takes the proxy from the environment`(_ text: String, _ host: String, _ port: Int) throws {
        for name in ["HTTPS_PROXY", "https_proxy"] {
            let proxy = try Proxy.proxy(for: Self.endpoint, environment: [name: text])
            #expect(proxy?.host == host)
            #expect(proxy?.port == port)
        }
    }

    @Test(arguments: [
        ("http://user:p%40ss@proxy", "Basic dXNlcjpwQHNz"), ("http://user:@proxy", "Basic dXNlcjo="),
        ("http://user@proxy", "Basic dXNlcjo="), ("http://proxy", nil),
    ])
    func `gives the proxy its user and password, with a colon even where none stands`(
        _ text: String,
        _ authorization: String?,
    ) throws {
        let proxy = try Proxy.proxy(for: Self.endpoint, environment: ["HTTPS_PROXY": text])
        #expect(proxy?.authorization == authorization)
    }

    @Test(arguments: ["socks5://proxy", "https://proxy", "http://", "http://proxy:x", "http://a%zz@proxy", "a b"])
    func `refuses what is no proxy`(_ text: String) {
        #expect(throws: GatewayConfigurationError.proxy) {
            try Proxy.proxy(for: Self.endpoint, environment: ["HTTPS_PROXY": text])
        }
    }

    @Test func `uses no proxy where there is none, or no encryption`() throws {
        #expect(try Proxy.proxy(for: Self.endpoint, environment: [:]) == nil)
        #expect(try Proxy.proxy(for: Self.endpoint, environment: ["HTTPS_PROXY": "", "HTTP_PROXY": "x"]) == nil)
        let plain = GatewayEndpoint(isEncrypted: false, host: "127.0.0.1", port: 80)
        #expect(try Proxy.proxy(for: plain, environment: ["HTTPS_PROXY": "http://proxy"]) == nil)
    }

    @Test(
        arguments: zip(
            [
                "*", "aliyuncs.com", ".aliyuncs.com", "*.aliyuncs.com", "x,DYSMSAPI.aliyuncs.com", "a b, aliyuncs.com",
                "",
                "yuncs.com", "com.cn", "x.dysmsapi.aliyuncs.com", ",", ".",
            ],
            [true, true, true, true, true, true, false, false, false, false, false, false],
        )
    )
    func `passes by the hosts that want none`(_ exceptions: String, _ isException: Bool) throws {
        let environment = ["HTTPS_PROXY": "http://proxy", "NO_PROXY": exceptions]
        #expect((try Proxy.proxy(for: Self.endpoint, environment: environment) == nil) == isException)
    }
}
