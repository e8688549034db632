// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Dispatch
package import MessagePipe
import NIOCore
import NIOPosix

/// Runs the engine of `status`: reads, asks and writes what it says, and tells it what happened; see ``Pipe``.
package final class StatusPipe {
    /// How long the event loop sleeps at most while something is to become due: the machine may have slept meanwhile.
    private static let longestWait = Duration.seconds(1)
    /// How much output is gathered for one write, in bytes.
    private static let outputSize = 256 << 10

    private let configuration: StatusConfiguration
    private let eventLoop: any EventLoop
    private let started = Clock.now
    private var engine: StatusEngine
    private var translator: GatewayTranslator
    private var renewer: CredentialsRenewer?
    private var gateway: Gateway?

    private let credit: InputCredit
    private var reader: InputReader?
    private var inputError: InputError?
    private var given: (messages: Int, bytes: Int) = (0, 0)

    private var output: OrderedOutput?
    /// Empty between writes.
    private var buffer: [UInt8] = []
    /// How many buffers are with the output.
    private var writes = 0

    private var timer: (scheduled: Scheduled<Void>, at: Instant)?
    private var isPumpPlanned = false
    private let stopped: (StopReason) -> Void
    /// How many stops were told.
    private var toldStops = 0
    /// Set at the end.
    private var result: StatusResult?

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
        // So many bytes that only long lines reach them.
        credit = InputCredit(messages: configuration.window, bytes: max(16 << 20, configuration.window * 512))
    }

    /// A run that is under way.
    package struct Run: Sendable {
        fileprivate let pipe: NIOLoopBound<StatusPipe>
        fileprivate let door: LoopDoor

        /// Tells the run that a signal asks for its end; a second one is the caller's to act on.
        package func end(bySignal signal: Int32) {
            door.execute { [pipe] in pipe.value.signalArrived(signal) }
        }

        /// Tells how far the run is, on the run's own thread.
        package func report(_ tell: @escaping @Sendable (StatusResult) -> Void) {
            door.execute { [pipe] in tell(pipe.value.current) }
        }
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
        began: (Run) -> Void,
    ) -> StatusResult {
        var pipe: StatusPipe?
        withoutActuallyEscaping(began) { began in
            MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { eventLoop in
                let door = LoopDoor(eventLoop)
                let new = StatusPipe(configuration, eventLoop: eventLoop, stopped: stopped)
                pipe = new
                let bound = NIOLoopBound(new, eventLoop: eventLoop)
                new.startThreads(bound, door, inputs, outputDescriptor)
                new.renewer = CredentialsRenewer(
                    configuration.credentials,
                    by: configuration.renewCredentials,
                    on: eventLoop,
                    door,
                    epochSeconds: { new.translator.epochSeconds },
                    ended: { new.renewed($0) },
                )
                began(Run(pipe: bound, door: door))
            }
        }
        guard let result = pipe?.result else { preconditionFailure("the event loop has ended before the run") }
        return result
    }

    private var current: StatusResult {
        StatusResult(
            tally: engine.tally,
            stops: engine.stops,
            endingSignal: engine.endingSignal,
            inputError: inputError,
            duration: started.duration(to: Clock.now),
        )
    }

    private func startThreads(
        _ bound: NIOLoopBound<StatusPipe>,
        _ door: LoopDoor,
        _ inputs: [(name: String, descriptor: Int32)],
        _ outputDescriptor: Int32,
    ) {
        let eventLoop = eventLoop
        gateway = Gateway(
            Connector(
                endpoint: configuration.endpoint,
                proxy: configuration.proxy,
                caFile: configuration.caFile,
                eventLoop: eventLoop,
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
        let output = OrderedOutput(descriptor: outputDescriptor) { event, isOfBuffer in
            door.execute { bound.value.outputReported(event, isOfBuffer: isOfBuffer) }
        }
        self.output = output
        let reader = InputReader(
            inputs,
            parser: PlainLineParser(maximumLineBytes: configuration.maximumLineBytes),
            maximumLineBytes: configuration.maximumLineBytes,
            credit: credit,
        ) { event in
            door.execute { bound.value.inputReported(event) }
        }
        self.reader = reader
        DispatchQueue(label: "reader").async { reader.run() }
        let queue = DispatchQueue(label: "writer")
        queue.async {
            output.run()
            // The output ends last; what else comes in then is dropped.
            door.close()
            eventLoop.shutdownGracefully(queue: queue) { _ in }
        }
    }

    // MARK: - Events

    private func inputReported(_ event: InputReader.Event) {
        switch event {
        case .arrived(let chunk):
            credit.arrived(bytes: chunk.byteCount)
            engine.chunkArrived(chunk, at: Clock.now)
        case .idled: break
        case .ended: engine.inputEnded()
        case .failed(let error):
            inputError = error
            engine.inputEnded()
        }
        pump()
    }

    private func outputReported(_ event: OrderedOutput.Event, isOfBuffer: Bool) {
        if isOfBuffer { writes -= 1 }
        switch event {
        case .written: break
        case .closed:
            reader?.stop()
            engine.outputClosed()
        case .failed(let number):
            reader?.stop()
            engine.storageFailed("cannot write the output: \(systemErrorText(number))")
        }
        pump()
    }

    private func signalArrived(_ signal: Int32) {
        reader?.stop()
        engine.signalArrived(signal, at: Clock.now)
        pump()
    }

    private func renewed(_ credentials: Credentials?) {
        if let credentials { translator.sign(with: credentials) }
        pump()
    }

    // MARK: - Actions

    /// Does it when all that has come in on the connections is taken in.
    private func pumpLater() {
        guard !isPumpPlanned else { return }
        isPumpPlanned = true
        eventLoop.assumeIsolated().execute { [self] in
            isPumpPlanned = false
            pump()
        }
    }

    /// Does all that the engine wants done now.
    private func pump() {
        ask()
        while let id = engine.nextAbandoned() { gateway?.abandon(id) }
        while toldStops < engine.stops.count {
            stopped(engine.stops[toldStops])
            toldStops += 1
        }
        write()
        giveCredit()
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

    private func write() {
        guard let output else { return }
        while writes < OrderedOutput.maximumUnreported {
            if buffer.capacity == 0 { buffer = output.takeSpare() }
            engine.takeOutput(into: &buffer, upTo: Self.outputSize)
            guard !buffer.isEmpty else { return }
            writes += 1
            output.write(&buffer)
        }
    }

    private func giveCredit() {
        let released = engine.released
        guard released != given else { return }
        credit.give(messages: released.messages - given.messages, bytes: released.bytes - given.bytes)
        given = released
    }

    /// Sees that the engine is called when something becomes due.
    private func setTimer() {
        guard var deadline = engine.nextDeadline() else { return }
        // What the engine would have asked is due all the time; the gateway tells when it can take it.
        deadline = max(deadline, Clock.now.advanced(by: .milliseconds(1)))
        if let timer, timer.at <= deadline { return }
        timer?.scheduled.cancel()
        let wait = TimeAmount(min(Clock.now.duration(to: deadline), Self.longestWait))
        let scheduled = eventLoop.assumeIsolated().scheduleTask(in: wait) { [self] in
            timer = nil
            engine.deadlineReached(at: Clock.now)
            pump()
        }
        timer = (scheduled, deadline)
    }

    private func finishIfDone() {
        guard engine.isFinished, writes == 0, output != nil else { return }
        timer?.scheduled.cancel()
        reader?.stop()
        output?.end()
        output = nil
        gateway?.close()
        result = current
    }
}
