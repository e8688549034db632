// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Testing

/// The pages for tests below `/_sim/`.
@Suite struct ControlTests {
    private func lines(
        _ gateway: any TestGateway,
        _ target: String,
        method: String = "GET",
        body: String = "",
    ) async throws -> [[String: Any]] {
        let request = SimulatedRequest(
            method: method,
            target: Array(target.utf8),
            headers: [HeaderField("host", gateway.host)],
            body: Array(body.utf8),
        )
        let answer = try await gateway.answer(request)
        return answer?.text.split(separator: "\n").compactMap { jsonObject($0.utf8) } ?? []
    }

    @Test(arguments: GatewayKind.allCases)
    func `shows messages and finds them by number, template, text and request`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            _ = try await gateway.answer(.batch(["15000000000", "15000000001"], outID: "job-1"))
            _ = try await gateway.answer(.batch(["15000000002"], templateCode: "SMS_2", values: ["9876"]))
            let all = try await lines(gateway, "/_sim/messages")
            #expect(all.compactMap { $0["PhoneNumber"] as? String } == ["15000000000", "15000000001", "15000000002"])
            #expect(all.first?["Text"] as? String == "【阿里云】SMS_0000 code=1204")
            #expect(all.first?["OutId"] as? String == "job-1")
            #expect((all.first?["TemplateParam"] as? [String: String]) == ["code": "1204"])
            for (query, count) in [
                ("number=15000000001", 1), ("number=%2B8615000000001", 1), ("number=1500000000", 3),
                ("template=SMS_2", 1), ("text=9876", 1), ("text=job-1", 2), ("after=2", 1), ("limit=2", 2),
                ("after=18446744073709551615", 0), ("request=1", 2), ("newest=1&limit=1", 1), ("text=nothing", 0),
            ] {
                #expect(try await lines(gateway, "/_sim/messages?\(query)").count == count, "\(query)")
            }
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `shows requests with what the gateway thought of them`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            _ = try await gateway.answer(.batch().setting("TemplateParam", "{}"))
            _ = try await gateway.answer(SignedCall.batch().with { $0.accessKeySecret = "wrong" })
            let requests = try await lines(gateway, "/_sim/requests?raw=1")
            #expect(requests.compactMap { $0["Code"] as? String } == ["OK", "SignatureDoesNotMatch"])
            #expect(requests.first?["Ignored"] as? [String] == ["TemplateParam"])
            #expect((requests.first?["Body"] as? String)?.contains("PhoneNumberJson=") == true)
            #expect(try await lines(gateway, "/_sim/requests?code=OK").count == 1)
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `tells who asks for a number that is none`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            for query in ["request=x", "after=-1", "limit=1.5"] {
                for path in ["/_sim/messages", "/_sim/requests"] {
                    let answer = try await lines(gateway, "\(path)?\(query)")
                    #expect((answer.first?["Error"] as? String)?.contains("whole numbers") == true, "\(answer)")
                }
            }
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `counts messages that were taken more than once, whatever their OutId`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            for outID in ["a", "b", "c"] {
                _ = try await gateway.answer(
                    .batch(["15000000000", "1500000000\(outID == "a" ? 1 : 2)"], outID: outID)
                )
            }
            let escaped = SignedCall.batch(["15000000000"], values: ["\\u0031204"])
            _ = try await gateway.answer(escaped)
            let duplicates = try await lines(gateway, "/_sim/duplicates")
            let counts = Dictionary(
                uniqueKeysWithValues: duplicates.map { ($0["PhoneNumber"] as? String ?? "", $0["Count"] as? Int ?? 0) }
            )
            #expect(counts == ["15000000000": 4, "15000000002": 2])
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `tells apart messages that differ in anything`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            let calls: [SignedCall] = [
                .batch(["15000000000"]), .batch(["15000000001"]), .batch(["15000000000"], templateCode: "SMS_1"),
                .batch(["15000000000"], signName: "Acme"), .batch(["15000000000"], values: ["1"]),
                .batch(["15000000000"]).setting("TemplateParamJson", "[{\"c\":\"1204\"}]"),
                .batch(["15000000000"]).setting("SmsUpExtendCodeJson", "[\"1\"]"),
            ]
            for call in calls { #expect(try await gateway.code(call) == "OK") }
            #expect(try await lines(gateway, "/_sim/duplicates").isEmpty)
            #expect(try await lines(gateway, "/_sim/counts").first?["Distinct"] as? Int == calls.count)
        }
    }

    @Test func `waits until so many messages were taken, or not longer than asked`() async throws {
        try await withGateway(.http) { gateway async throws in
            _ = try await gateway.answer(.batch())
            let request = { (query: String) in
                SimulatedRequest(
                    method: "GET",
                    target: Array("/_sim/wait?\(query)".utf8),
                    headers: [HeaderField("host", gateway.host)],
                )
            }
            #expect(try await gateway.answer(request("count=2&timeout=5s"))?.status == 200)
            #expect(try await gateway.answer(request("count=3&timeout=50ms"))?.status == 408)
            #expect(try await gateway.answer(request("count=x"))?.status == 400)
            async let waiting = gateway.answer(request("count=3&timeout=5s"))
            _ = try await gateway.answer(.batch(["15000000009"]))
            #expect(try await waiting?.status == 200)
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `changes faults and limits while it runs`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            let settings =
                #"{"Faults":["error:isv.OUT_OF_SERVICE=1,nth=1"],"Latency":"1ms","QPS":"3","OnBadElement":"fail-one"}"#
            let changed = try await lines(gateway, "/_sim/faults", method: "PUT", body: settings)
            #expect(changed.first?["Latency"] as? String == "1ms")
            #expect(try await gateway.code(.batch()) == "isv.OUT_OF_SERVICE")
            #expect(try await gateway.code(.batch(["15000000000", "19999000003"])) == "OK")
            #expect(try await gateway.code(.batch()) == "OK")
            #expect(try await gateway.code(.batch()) == "Throttling.User")
            let jitter = try await lines(gateway, "/_sim/faults", method: "PUT", body: #"{"Latency":"0±1ms"}"#)
            #expect(jitter.first?["Latency"] as? String == "0s±1ms", "jitter alone is a latency, too")
            let shown = try await lines(gateway, "/_sim/faults").first?["Faults"] as? [[String: Any]]
            #expect(shown?.first?["Hits"] as? Int == 1)
            for bad in ["{\"Faults\":[\"x\"]}", "[]", "{\"Speed\":1}", "{\"QPS\":\"fast\"}"] {
                let answer = try await lines(gateway, "/_sim/faults", method: "PUT", body: bad)
                #expect(answer.first?["Error"] != nil, "\(bad)")
            }
            _ = try await lines(gateway, "/_sim/faults", method: "DELETE")
            #expect((try await lines(gateway, "/_sim/faults").first?["Faults"] as? [Any])?.isEmpty == true)
        }
    }

    @Test(arguments: GatewayKind.allCases)
    func `forgets everything on reset`(kind: GatewayKind) async throws {
        try await withGateway(kind) { gateway async throws in
            _ = try await gateway.answer(.batch())
            _ = try await gateway.answer(.batch())
            let counts = try await lines(gateway, "/_sim/reset", method: "POST").first
            #expect(counts?["Messages"] as? Int == 0 && counts?["Repeats"] as? Int == 0)
            #expect(try await lines(gateway, "/_sim/messages").isEmpty)
            #expect(try await lines(gateway, "/_sim/requests").isEmpty)
            _ = try await gateway.answer(.batch())
            #expect(try await lines(gateway, "/_sim/messages").count == 2)
            #expect(try await lines(gateway, "/_sim/duplicates").isEmpty)
        }
    }

    @Test func `keeps pages of other sites away`() async throws {
        try await withGateway(.http) { gateway async throws in
            let requests: [(host: String, origin: String?, status: Int)] = [
                (gateway.host, nil, 200), ("localhost:1", nil, 200), ("evil.example", nil, 403), ("[::1]:80", nil, 200),
                (gateway.host, "http://\(gateway.host)", 200), (gateway.host, "https://evil.example", 403),
            ]
            for (host, origin, status) in requests {
                let request = SimulatedRequest(
                    method: "GET",
                    target: Array("/_sim/counts".utf8),
                    headers: [HeaderField("host", host)] + (origin.map { [HeaderField("origin", $0)] } ?? []),
                )
                #expect(try await gateway.answer(request)?.status == status, "\(host) \(origin ?? "")")
            }
        }
    }
}
