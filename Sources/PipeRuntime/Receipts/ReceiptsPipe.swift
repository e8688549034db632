// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Dispatch
package import MessagePipe
import NIOCore
import NIOPosix

/// Runs the engine of `receipts`: takes pushes, asks queues and writes what it says, and tells it what happened; see ``Pipe``.
package final class ReceiptsPipe: RunDriver {
    private let configuration: ReceiptsConfiguration
    private let eventLoop: any EventLoop
    private let started = Clock.now
    private var engine: ReceiptsEngine
    private var translator: QueueTranslator?
    private var renewer: CredentialsRenewer?
    private var tokens: Gateway?
    private var messages: Gateway?
    private var listener: PushListener?
    private var listenError: String?

    private let lines: LineThreads
    private let wakeUp: WakeUp
    private var pushes: [UInt64: (PushAnswer) -> Void] = [:]
    private var nextPush: UInt64 = 1
    private let told: (ReceiptsEngine.Notice) -> Void
    package private(set) var result: ReceiptsResult?

    private init(
        _ configuration: ReceiptsConfiguration,
        eventLoop: any EventLoop,
        told: @escaping (ReceiptsEngine.Notice) -> Void,
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.told = told
        var random = SystemRandomNumberGenerator()
        engine = ReceiptsEngine(
            queues: configuration.queues?.names ?? [],
            timeout: configuration.timeout,
            key: (0..<KeyedDigest.keyByteCount).map { _ in random.next() },
            seed: random.next(),
        )
        translator = configuration.queues.map { QueueTranslator($0) }
        lines = LineThreads(window: Window(messages: 1))
        wakeUp = WakeUp(on: eventLoop)
    }

    /// Runs to the end, on this thread.
    ///
    /// - Parameters:
    ///   - configuration: What to do.
    ///   - outputDescriptor: Where lines go.
    ///   - listens: Gets the port on which pushes are taken.
    ///   - told: Gets what the user is to be told meanwhile.
    ///   - began: Gets the run once it is under way.
    /// - Returns: How it ended.
    package static func run(
        _ configuration: ReceiptsConfiguration,
        outputDescriptor: Int32,
        listens: @escaping (_ port: Int) -> Void,
        told: @escaping (ReceiptsEngine.Notice) -> Void,
        began: (Run<ReceiptsPipe>) -> Void,
    ) -> ReceiptsResult {
        run(began: began) { eventLoop, door in
            let pipe = ReceiptsPipe(configuration, eventLoop: eventLoop, told: told)
            pipe.start(door, outputDescriptor, listens)
            return pipe
        }
    }

    package var progress: ReceiptsResult {
        ReceiptsResult(
            tally: engine.tally,
            waiting: engine.waitingCount,
            stops: engine.stops,
            endingSignal: engine.endingSignal,
            listenError: listenError,
            duration: started.duration(to: Clock.now),
        )
    }

    private func start(_ door: LoopDoor, _ outputDescriptor: Int32, _ listens: @escaping (Int) -> Void) {
        lines.start(
            [],
            parser: PlainLineParser(maximumLineBytes: 1),
            maximumLineBytes: 1,
            outputDescriptor: outputDescriptor,
            on: eventLoop,
            door,
            read: { _ in },
            wrote: { [self] in outputReported($0) },
        )
        if let queues = configuration.queues { startQueues(queues, door) }
        if let listening = configuration.listening { startListening(listening, listens) }
        pumpLater()
    }

    private func startQueues(_ queues: ReceiptsConfiguration.Queues, _ door: LoopDoor) {
        func gateway(_ way: (endpoint: GatewayEndpoint, proxy: Proxy?)) -> Gateway {
            Gateway(
                Connector(endpoint: way.endpoint, proxy: way.proxy, caFile: queues.caFile, door: door),
                connected: {},
                ready: { [self] in pumpLater() },
                report: { [self] in
                    translator?.tell(&engine, $0, $1, $2, at: Clock.now)
                    if translator?.takeTokenRefusal() == true { renewer?.refused() }
                    pumpLater()
                },
            )
        }
        tokens = gateway(queues.tokens)
        messages = gateway(queues.messages)
        renewer = CredentialsRenewer(
            queues.credentials,
            by: queues.renewCredentials,
            on: eventLoop,
            door,
            epochSeconds: { [self] in translator?.epochSeconds ?? Clock.epochSeconds },
            ended: { [self] credentials in
                if let credentials { translator?.sign(with: credentials) }
                pump()
            },
        )
    }

    private func startListening(
        _ listening: ReceiptsConfiguration.Listening,
        _ listens: @escaping (Int) -> Void,
    ) {
        let listener = PushListener { [self] in pushArrived($0, $1) }
        self.listener = listener
        listener.start(listening, on: eventLoop) { [self] result in
            switch result {
            case .success(let port): listens(port)
            case .failure(let error):
                let why = (error as? IOError).map { systemErrorText($0.errnoCode) } ?? "\(error)"
                listenError = why
                engine.listeningFailed(why, at: Clock.now)
                pump()
            }
        }
    }

    // MARK: - Events

    private func pushArrived(_ body: [UInt8], _ answer: @escaping (PushAnswer) -> Void) {
        let id = nextPush
        nextPush += 1
        if let refusal = engine.pushArrived(id, body.span, at: Clock.now) {
            answer(.refused(refusal))
        } else {
            pushes[id] = answer
        }
        pumpLater()
    }

    private func outputReported(_ event: OrderedOutput.Event) {
        switch event {
        case .written: engine.outputWritten(at: Clock.now)
        case .closed: engine.outputClosed(at: Clock.now)
        case .failed(let number):
            engine.outputFailed("cannot write the output: \(systemErrorText(number))", at: Clock.now)
        }
        pump()
    }

    package func signalArrived(_ signal: Int32) {
        listener?.stopAccepting()
        engine.signalArrived(signal, at: Clock.now)
        pump()
    }

    // MARK: - Actions

    private func pumpLater() {
        wakeUp.planSoon { [self] in pump() }
    }

    /// Does all that the engine wants done now.
    private func pump() {
        let now = Clock.now
        engine.deadlineReached(at: now)
        lines.write { buffer, _ in engine.takeOutput(into: &buffer) }
        while let (push, isTaken) = engine.nextAnswered() {
            pushes.removeValue(forKey: push)?(isTaken ? .taken : .lost)
        }
        ask(at: now)
        while let id = engine.nextAbandoned(at: now) {
            tokens?.abandon(id)
            messages?.abandon(id)
        }
        while let notice = engine.nextNotice() { told(notice) }
        if let deadline = engine.nextDeadline(at: now) {
            wakeUp.plan(max(deadline, now.advanced(by: .milliseconds(1)))) { [self] in pump() }
        }
        finishIfDone()
    }

    private func ask(at now: Instant) {
        renewer?.renewIfDue()
        guard renewer?.areAwaited != true else { return }
        while let request = engine.nextRequest(at: now), let signed = translator?.signed(request) {
            (request.call == .token ? tokens : messages)?.send(request.id, signed)
        }
    }

    private func finishIfDone() {
        guard engine.isFinished(at: Clock.now), lines.mayEnd else { return }
        wakeUp.cancel()
        listener?.close()
        tokens?.close()
        messages?.close()
        lines.end()
        result = progress
    }
}
