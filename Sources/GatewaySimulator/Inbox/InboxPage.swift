// SPDX-License-Identifier: Apache-2.0

/// The page that shows captured messages, with its script and its style.
enum InboxPage {
    /// The answer to a request for one of the page's parts; `nil` for any other request.
    static func answer(to request: SimulatedRequest) -> SimulatedAnswer? {
        guard request.method == "GET" || request.method == "HEAD" else { return nil }
        return switch request.path {
        case "/_sim": SimulatedAnswer(status: 301, headers: [HeaderField("location", "/_sim/")], body: [])
        case "/_sim/": part("text/html; charset=utf-8", html)
        case "/_sim/inbox.js": part("text/javascript; charset=utf-8", script)
        case "/_sim/inbox.css": part("text/css; charset=utf-8", style)
        default: nil
        }
    }

    private static func part(_ contentType: String, _ text: String) -> SimulatedAnswer {
        SimulatedAnswer(
            status: 200,
            headers: [
                HeaderField("content-type", contentType),
                HeaderField("cache-control", "no-cache"),
                HeaderField(
                    "content-security-policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:",
                ),
                HeaderField("x-content-type-options", "nosniff"),
                HeaderField("referrer-policy", "no-referrer"),
            ],
            body: Array(text.utf8),
        )
    }
}
