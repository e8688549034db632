// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import GatewaySimulator
import Glibc
import MessagePipe
import PipeRuntime
import Testing

/// Whole runs in this process against a simulated gateway, pipes as input and output.
@Suite(.timeLimit(.minutes(1)))
struct PipeTests {
    @Test func `answers every line in the order of the input, and ends`() async throws {
        try await withSimulator { simulator in
            let run = try await TestRun(simulator)
            let count = 1_050
            async let lines = onThread { run.output.lines() }
            run.input.write(TestRun.messages(count) { "SMS_00\($0 % 3)" })
            run.input.writeEnd.close()
            let result = try await run.finish()
            let answered = await lines
            #expect(answered.count == count)
            for (index, line) in answered.enumerated() {
                #expect(line.hasPrefix("{\"PhoneNumber\":\"\(TestRun.phone(index))\""))
                #expect(line.contains("\"Outcome\":\"accepted\",\"Code\":\"OK\""))
            }
            #expect(result.stops == [])
            #expect(result.progress.tally[.accepted] == count)
            #expect(result.progress.tally.requests == 12)
        }
    }

    @Test func `gives answers as they come where the order is that of completion`() async throws {
        try await withSimulator { simulator in
            let run = try await TestRun(simulator) {
                $0.keepsInputOrder = false
                $0.linger = .seconds(3600)
            }
            // The first waits for others of its kind, and would hold up the second in input order.
            run.input.write(TestRun.messages(1) { _ in "SMS_000" } + "nonsense\n")
            #expect(await onThread { run.output.readEnd.readLine() }.contains("INVALID_JSON"))
            run.input.writeEnd.close()
            #expect(await onThread { run.output.readEnd.readLine() }.contains("\"accepted\""))
            #expect(try await run.finish().progress.tally.answered == 2)
        }
    }

    @Test func `sends what is batched when it is asked to, and tells how far it is`() async throws {
        try await withSimulator { simulator in
            let run = try await TestRun(simulator) { $0.linger = .seconds(3600) }
            run.input.write(TestRun.messages(2) { _ in "SMS_000" })
            try await run.wait { $0.tally.messages == 2 }
            run.run.flush()
            for _ in 0..<2 {
                #expect(await onThread { run.output.readEnd.readLine() }.contains("\"accepted\""))
            }
            run.input.writeEnd.close()
            #expect(try await run.finish().progress.tally.requests == 1)
        }
    }

    @Test func `sends at once without a linger when no more is ready`() async throws {
        try await withSimulator { simulator in
            let run = try await TestRun(simulator) { $0.linger = .zero }
            for _ in 0..<3 {
                run.input.write(TestRun.messages(1) { _ in "SMS_000" })
                #expect(await onThread { run.output.readEnd.readLine() }.contains("\"accepted\""))
            }
            run.input.writeEnd.close()
            #expect(try await run.finish().progress.tally.requests == 3)
        }
    }

    @Test func `ends by a signal with every line answered, though the input stays open`() async throws {
        try await withSimulator { simulator in
            let run = try await TestRun(simulator) { $0.linger = .seconds(3600) }
            run.input.write(TestRun.messages(7) { _ in "SMS_000" })
            try await run.wait { $0.tally.messages == 7 }
            run.run.end(bySignal: SIGTERM)
            async let lines = onThread { run.output.lines() }
            let result = try await run.finish()
            #expect(result.endingSignal == SIGTERM)
            #expect(await lines.filter { $0.contains("\"accepted\"") }.count == 7)
            // What comes after the end does nothing.
            run.run.end(bySignal: SIGTERM)
            run.run.flush()
        }
    }

    @Test func `ends by a signal while the window is full and nobody reads the output`() async throws {
        try await withSimulator { simulator in
            // Fewer than the answers at which reading waits for the output, so that it is the window that fills.
            let window = 1500
            let run = try await TestRun(simulator) { $0.window = window }
            let count = 20_000
            async let written: Void = onThread {
                run.input.write(TestRun.messages(count) { _ in "SMS_000" })
                run.input.writeEnd.close()
            }
            // The output is stuck, the window full of answered messages.
            try await run.wait { $0.tally.answered >= window }
            run.run.end(bySignal: SIGINT)
            async let lines = onThread { run.output.lines() }
            let result = try await run.finish()
            // Nobody else reads it now.
            run.input.readEnd.close()
            await written
            #expect(result.endingSignal == SIGINT)
            #expect(await lines.count == result.progress.tally.messages)
            #expect(result.progress.tally.answered == result.progress.tally.messages)
        }
    }

    @Test func `stops when the output is closed, though the input stays open`() async throws {
        try await withSimulator { simulator in
            let run = try await TestRun(simulator) { $0.linger = .zero }
            run.output.readEnd.close()
            run.input.write(TestRun.messages(1) { _ in "SMS_000" })
            let result = try await run.finish()
            #expect(result.stops == [.outputClosed])
            // The writer looks whether there is still a reader; it may find none before the message is read.
            #expect(result.progress.tally.requests <= 1)
        }
    }

    @Test func `stops when the output is full`() async throws {
        try await withSimulator { simulator in
            let full = Descriptor(opening: "/dev/full", O_WRONLY)
            let run = try await TestRun(simulator, output: full) { $0.linger = .zero }
            run.input.write(TestRun.messages(1) { _ in "SMS_000" })
            let result = try await run.finish()
            #expect(result.stops == [.outputFailed("cannot write the output: No space left on device")])
        }
    }

    @Test func `answers the lines before an input that cannot be read`() async throws {
        try await withSimulator { simulator in
            let file = Descriptor(holding: TestRun.messages(3) { _ in "SMS_000" })
            let run = try await TestRun(simulator, inputs: [("good", file.copy()), ("bad", 1_000_000)])
            let result = try await run.finish()
            #expect(result.inputError?.name == "bad")
            #expect(result.inputError?.number == EBADF)
            #expect(result.progress.tally[.accepted] == 3)
            #expect(run.output.lines().count == 3)
        }
    }

    @Test(
        arguments: zip(
            ["drop-before=1", "drop-after=1", "truncate=1", "garbage=1", "503=1", "error:isv.SMS_CONTENT_ILLEGAL=1"],
            [Outcome.unknown, .unknown, .unknown, .unknown, .unknown, .rejected],
        )
    )
    func `names the fate of a request that goes wrong`(_ fault: String, _ outcome: Outcome) async throws {
        try await withSimulator(faults: [FaultRule(parsing: fault)]) { simulator in
            let run = try await TestRun(simulator) { $0.confirm = .zero }
            run.input.write(TestRun.messages(1) { _ in "SMS_000" })
            run.input.writeEnd.close()
            let result = try await run.finish()
            #expect(run.output.lines().first?.contains("\"Outcome\":\"\(outcome.rawValue)\"") == true)
            #expect(result.progress.tally.requests == 1)
        }
    }

    @Test func `answers without sending in a dry run`() async throws {
        try await Peer.withClosedPort { port in
            let run = try await TestRun(endpoint: "http://127.0.0.1:\(port)") { $0.isDryRun = true }
            run.input.write(TestRun.messages(3) { _ in "SMS_000" })
            run.input.writeEnd.close()
            #expect(try await run.finish().progress.tally[.planned] == 3)
            #expect(run.output.lines().count == 3)
        }
    }

    @Test func `skips what cannot be sent because the gateway is never reached`() async throws {
        try await Peer.withClosedPort { port in
            let run = try await TestRun(endpoint: "http://127.0.0.1:\(port)") { $0.unreachableAfter = .milliseconds(1) }
            run.input.write(TestRun.messages(3) { _ in "SMS_000" })
            run.input.writeEnd.close()
            let result = try await run.finish()
            #expect(result.stops == [.unreachable(.noConnection("Connection refused"))])
            #expect(run.output.lines().filter { $0.contains("smspipe.UNREACHABLE") }.count == 3)
        }
    }
}

/// Runs a test body with a simulated gateway.
private func withSimulator(
    faults: [FaultRule] = [],
    _ body: (SimulatorServer) async throws -> Void,
) async throws {
    var configuration = SimulatorConfiguration()
    configuration.seed = 1
    configuration.faults = faults
    let simulator = try SimulatorServer.start(configuration: configuration)
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(simulator))
    } catch {
        result = .failure(error)
    }
    try simulator.shutdown()
    try result.get()
}
