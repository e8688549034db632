// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Dispatch
import GatewaySimulator
import MessagePipe
import PipeRuntime

/// A run between two pipes.
final class TestRun: Sendable {
    struct Failure: Error {}

    let input = TestPipe()
    let output = TestPipe()
    let run: Run<Pipe>
    private let otherOutput: Descriptor?
    private let ended: AsyncStream<PipeResult>

    convenience init(
        _ simulator: SimulatorServer,
        inputs: [(name: String, descriptor: Int32)]? = nil,
        output: Descriptor? = nil,
        _ configure: (inout Engine.Configuration) -> Void = { _ in },
    ) async throws {
        try await self.init(
            endpoint: simulator.endpoint,
            credentials: Credentials(
                accessKeyID: simulator.accessKeyID,
                accessKeySecret: Secret(simulator.accessKeySecret),
            ),
            inputs: inputs,
            output: output,
            configure,
        )
    }

    init(
        endpoint: String,
        credentials: Credentials = Credentials(accessKeyID: "testid", accessKeySecret: Secret("testsecret")),
        inputs: [(name: String, descriptor: Int32)]? = nil,
        output: Descriptor? = nil,
        _ configure: (inout Engine.Configuration) -> Void = { _ in },
    ) async throws {
        guard let endpoint = GatewayEndpoint(endpoint) else { throw Failure() }
        var engine = Engine.Configuration(runID: "0123456789abcdef")
        configure(&engine)
        let configuration = PipeConfiguration(
            engine: engine,
            defaults: MessageParser.Defaults(signName: "阿里云"),
            maximumLineBytes: 1 << 16,
            endpoint: endpoint,
            credentials: credentials,
        )
        otherOutput = output
        let inputs = inputs ?? [("pipe", input.readEnd.copy())]
        let outputDescriptor = output?.number ?? self.output.writeEnd.number
        let (ended, end) = AsyncStream.makeStream(of: PipeResult.self)
        self.ended = ended
        run = await withCheckedContinuation { began in
            DispatchQueue(label: "run").async {
                end.yield(
                    Pipe.run(configuration, inputs: inputs, outputDescriptor: outputDescriptor) {
                        began.resume(returning: $0)
                    }
                )
                end.finish()
            }
        }
    }

    /// Waits for the end, and ends the output.
    func finish() async throws -> PipeResult {
        for await result in ended {
            output.writeEnd.close()
            return result
        }
        throw Failure()
    }

    /// What has been done so far.
    func progress() async -> Progress {
        await withCheckedContinuation { continuation in
            run.report { continuation.resume(returning: $0) }
        }
    }

    /// Waits until the run is so far, or the test has taken too long.
    func wait(until isSoFar: (Progress) -> Bool) async throws {
        while await !isSoFar(progress()) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Lines with messages to different numbers.
    static func messages(_ count: Int, templateCode: (Int) -> String) -> String {
        (0..<count).map {
            #"{"PhoneNumber":"\#(phone($0))","TemplateCode":"\#(templateCode($0))","TemplateParam":{"code":"1234"}}"#
                + "\n"
        }.joined()
    }

    static func phone(_ index: Int) -> String { String(13_900_000_000 + index) }
}

extension TestPipe {
    /// All lines until the write end is closed.
    func lines() -> [String] {
        String(decoding: readEnd.read(), as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
