// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Dispatch
package import MessagePipe
import NIOCore
import NIOPosix

/// Runs the engine of `status`: reads, asks and writes what it says, and tells it what happened; see ``Pipe``.
package final class StatusPipe: RunDriver {
    private let configuration: StatusConfiguration
    private let eventLoop: any EventLoop
    private let started = Clock.now
    private var engine: StatusEngine
    private var translator: GatewayTranslator
    private var renewer: CredentialsRenewer?
    private var gateway: Gateway?

    private let window: Window
    private let lines: LineThreads
    private let wakeUp: WakeUp
    private let stopped: (StopReason) -> Void
    /// How many stops were told.
    private var toldStops = 0
    package private(set) var result: StatusResult?

    private init(
        _ configuration: StatusConfiguration,
        eventLoop: any EventLoop,
        stopped: @escaping (StopReason) -> Void,
    ) {
        self.configuration = configuration
        self.stopped = stopped
        self.eventLoop = eventLoop
        engine = StatusEngine(
            wait: configuration.wait,
            concurrency: configuration.concurrency,
            maximumLookUpsPerSecond: configuration.maximumLookUpsPerSecond,
            timeout: configuration.timeout,
            seed: .random(in: .min ... .max),
        )
        translator = GatewayTranslator(
            host: configuration.endpoint.hostHeader,
            scheme: configuration.signatureScheme,
            credentials: configuration.credentials,
        )
        window = Window(messages: configuration.window)
        lines = LineThreads(window: window)
        wakeUp = WakeUp(on: eventLoop)
    }

    /// Runs to the end, on this thread.
    ///
    /// - Parameters:
    ///   - configuration: What to do.
    ///   - inputs: Open inputs with their names, read one after the other.
    ///   - outputDescriptor: Where lines go.
    ///   - stopped: Gets what stops the run from asking on, as soon as it is known, one of each kind.
    ///   - began: Gets the run once it is under way.
    /// - Returns: How it ended.
    package static func run(
        _ configuration: StatusConfiguration,
        inputs: [(name: String, descriptor: Int32)],
        outputDescriptor: Int32,
        stopped: @escaping (StopReason) -> Void,
        began: (Run<StatusPipe>) -> Void,
    ) -> StatusResult {
        run(began: began) { eventLoop, door in
            let pipe = StatusPipe(configuration, eventLoop: eventLoop, stopped: stopped)
            pipe.start(door, inputs, outputDescriptor)
            return pipe
        }
    }

    package var progress: StatusResult {
        StatusResult(
            tally: engine.tally,
            stops: engine.stops,
            endingSignal: engine.endingSignal,
            inputError: lines.inputError,
            duration: started.duration(to: Clock.now),
        )
    }

    private func start(
        _ door: LoopDoor,
        _ inputs: [(name: String, descriptor: Int32)],
        _ outputDescriptor: Int32,
    ) {
        gateway = Gateway(
            Connector(
                endpoint: configuration.endpoint,
                proxy: configuration.proxy,
                caFile: configuration.caFile,
                door: door,
            ),
            connected: { [self] in engine.connected() },
            leaves: { [self] in
                engine.leaves($0, at: Clock.now)
                return true
            },
            ready: { [self] in pumpLater() },
            report: { [self] in
                translator.tell(&engine, $0, $1, $2, at: Clock.now)
                if translator.takeTokenRefusal() { renewer?.refused() }
                pumpLater()
            },
        )
        lines.start(
            inputs,
            parser: PlainLineParser(maximumLineBytes: configuration.maximumLineBytes),
            maximumLineBytes: configuration.maximumLineBytes,
            outputDescriptor: outputDescriptor,
            on: eventLoop,
            door,
            read: { [self] in inputReported($0) },
            wrote: { [self] in outputReported($0) },
        )
        renewer = CredentialsRenewer(
            configuration.credentials,
            by: configuration.renewCredentials,
            on: eventLoop,
            door,
            epochSeconds: { [self] in translator.epochSeconds },
            ended: { [self] in renewed($0) },
        )
    }

    // MARK: - Events

    private func inputReported(_ event: InputReader.Event) {
        switch event {
        case .arrived(let chunk): engine.chunkArrived(chunk, at: Clock.now)
        case .idled: break
        case .ended, .failed: engine.inputEnded()
        }
        pump()
    }

    private func outputReported(_ event: OrderedOutput.Event) {
        switch event {
        case .written: break
        case .closed: engine.outputClosed()
        case .failed(let number): engine.outputFailed("cannot write the output: \(systemErrorText(number))")
        }
        pump()
    }

    package func signalArrived(_ signal: Int32) {
        lines.stopReading()
        engine.signalArrived(signal, at: Clock.now)
        pump()
    }

    private func renewed(_ credentials: Credentials?) {
        if let credentials { translator.sign(with: credentials) }
        pump()
    }

    // MARK: - Actions

    private func pumpLater() {
        wakeUp.planSoon { [self] in pump() }
    }

    /// Does all that the engine wants done now.
    private func pump() {
        ask()
        while let id = engine.nextAbandoned() { gateway?.abandon(id) }
        while toldStops < engine.stops.count {
            stopped(engine.stops[toldStops])
            toldStops += 1
        }
        lines.write { engine.takeOutput(into: &$0, upTo: $1) }
        lines.giveCredit(engine.released, of: window)
        setTimer()
        finishIfDone()
    }

    private func ask() {
        renewer?.renewIfDue()
        guard renewer?.areAwaited != true else { return }
        let day = ChinaTime.dateNumber(epochSeconds: translator.epochSeconds)
        guard let gateway, let today = SendDate(number: day) else { return }
        while gateway.isReady(), let lookUp = engine.nextLookUp(at: Clock.now, today: today) {
            gateway.send(lookUp.id, translator.signed(lookUp))
        }
    }

    /// Sees that the engine is called when something becomes due.
    private func setTimer() {
        guard var deadline = engine.nextDeadline() else { return }
        // What the engine would have asked is due all the time; the gateway tells when it can take it.
        deadline = max(deadline, Clock.now.advanced(by: .milliseconds(1)))
        wakeUp.plan(deadline) { [self] in
            engine.deadlineReached(at: Clock.now)
            pump()
        }
    }

    private func finishIfDone() {
        guard engine.isFinished, lines.mayEnd else { return }
        wakeUp.cancel()
        lines.end()
        gateway?.close()
        result = progress
    }
}
