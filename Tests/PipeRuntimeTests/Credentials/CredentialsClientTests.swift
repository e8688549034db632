// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Dispatch
import PipeRuntime
import Testing

struct CredentialsClientTests {
    private static func ask(
        _ port: Int,
        method: CredentialsRequest.Method = .get,
        origin: String = "http://127.0.0.1",
        form: String = "",
    ) async -> Result<CredentialsRequest.Answer, CredentialsUnavailable> {
        var request = CredentialsRequest(method: method, origin: "\(origin):\(port)", target: "/a?b", timeout: 20)
        request.field = CredentialsRequest.Field(name: "X-Field", value: "v")
        request.form = Array(form.utf8)
        let asked = request
        // It waits, which no thread of a test's may.
        return await withCheckedContinuation { continuation in
            DispatchQueue(label: "client").async {
                let client = CredentialsClient(environment: [:], caFile: nil)
                do throws(CredentialsUnavailable) {
                    continuation.resume(returning: .success(try client.ask(asked)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "HTTP/1.1 200 OK\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
    ])
    func `reads an answer however it is framed`(_ answer: String) async throws {
        let peer = try Peer { connection in
            let head = connection.readRequest()
            #expect(head.hasPrefix("GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:"))
            #expect(head.contains("\r\nX-Field: v\r\n") && !head.contains("Content-Length"))
            connection.write(answer)
        }
        #expect(await Self.ask(peer.port) == .success(.init(status: 200, body: Array("body".utf8))))
        peer.end()
    }

    @Test func `sends a form`() async throws {
        let peer = try Peer { connection in
            let head = connection.readRequest()
            #expect(head.contains("\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n"))
            #expect(connection.read(3) == Array("a=b".utf8))
            connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(await Self.ask(peer.port, method: .post, form: "a=b") == .success(.init(status: 404, body: [])))
        peer.end()
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", "no HTTP at all\r\n\r\n"])
    func `an answer that is none is none`(_ answer: String) async throws {
        let peer = try Peer { connection in
            connection.readRequest()
            connection.write(answer)
        }
        #expect(await Self.ask(peer.port) == .failure(.init(reason: "127.0.0.1 does not answer")))
        peer.end()
    }

    @Test func `says why there is no connection`() async throws {
        let result = try await Peer.withClosedPort { await Self.ask($0) }
        #expect(result == .failure(.init(reason: "127.0.0.1: no connection (Connection refused)")))
        let reason = "the address has no host and port; give http://host:port/path"
        #expect(await Self.ask(0) == .failure(.init(reason: reason)))
    }
}
