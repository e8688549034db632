// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import Dispatch
import NIOCore
import NIOPosix

/// Runs the engine: reads, sends and writes what it says, and tells it what happened.
///
/// It decides nothing. The engine belongs to the event loop; the reader and the writer have a thread each and exchange whole
/// chunks and buffers with it.
package final class Pipe: RunDriver {
    /// How often all sockets are looked at before requests are given up: each time the event loop may take in twice as many.
    private static let turnsBeforeAbandoning = 8

    private let configuration: PipeConfiguration
    private let eventLoop: any EventLoop
    private let started = Clock.now
    private var engine: Engine
    private var translator: GatewayTranslator
    private var renewer: CredentialsRenewer?
    private var gateway: Gateway?

    private let lines: LineThreads
    private let wakeUp: WakeUp
    private var journal: JournalWriter?

    /// Requests that are about to be given up.
    private var overdue: [RequestID] = []
    /// Whether the gateway takes no request for a moment.
    private var isHeldBack = false
    package private(set) var result: PipeResult?

    private init(
        _ configuration: PipeConfiguration,
        journal: consuming Journal?,
        eventLoop: any EventLoop,
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        engine = Engine(configuration.engine, seed: SystemRandomNumberGenerator().firstValue, journal: journal)
        translator = GatewayTranslator(
            host: configuration.endpoint.hostHeader,
            scheme: configuration.signatureScheme,
            credentials: configuration.credentials,
        )
        lines = LineThreads(window: engine.window)
        wakeUp = WakeUp(on: eventLoop)
    }

    /// Runs to the end, on this thread.
    ///
    /// - Parameters:
    ///   - configuration: What to do.
    ///   - inputs: Open inputs with their names, read one after the other.
    ///   - outputDescriptor: Where response lines go.
    ///   - began: Gets the run once it is under way.
    /// - Returns: How it ended.
    package static func run(
        _ configuration: PipeConfiguration,
        inputs: [(name: String, descriptor: Int32)],
        outputDescriptor: Int32,
        began: (Run<Pipe>) -> Void = { _ in },
    ) -> PipeResult {
        run(began: began) { eventLoop, door in
            let opened = configuration.journal?.take()
            let file = opened?.file ?? nil
            let pipe = Pipe(configuration, journal: opened?.journal, eventLoop: eventLoop)
            if let file { pipe.startJournal(door, file) }
            pipe.start(door, inputs, outputDescriptor)
            return pipe
        }
    }

    package var progress: Progress {
        Progress(
            tally: engine.tally,
            duration: started.duration(to: Clock.now),
            bytesRead: lines.bytesRead,
            bytesToRead: lines.bytesToRead,
        )
    }

    private func startJournal(_ door: LoopDoor, _ file: JournalFile) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let writer = JournalWriter { failure in
            door.execute { bound.value.journalReported(failure) }
        }
        journal = writer
        DispatchQueue(label: "journal").async { writer.run(file) }
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
            connected: { [self] in
                engine.connected()
                pumpLater()
            },
            leaves: { [self] in engine.leaves($0, at: Clock.now, sendDate: sendDate) },
            ready: { [self] in pumpLater() },
            report: { [self] in report($0, $1, $2) },
        )
        lines.start(
            inputs,
            parser: MessageParser(
                defaults: configuration.defaults,
                maximumLineBytes: configuration.maximumLineBytes,
                identifier: configuration.journal?.identifier,
            ),
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

    /// Today in China by the gateway's clock, `yyyyMMdd`.
    private var sendDate: UInt32 { ChinaTime.dateNumber(epochSeconds: translator.epochSeconds) }

    // MARK: - Events

    private func inputReported(_ event: InputReader.Event) {
        switch event {
        case .arrived(let chunk): engine.chunkArrived(chunk, at: Clock.now)
        case .idled: engine.inputIdled(at: Clock.now)
        case .ended, .failed: engine.inputEnded(at: Clock.now)
        }
        pump()
    }

    private func outputReported(_ event: OrderedOutput.Event) {
        switch event {
        case .written: break
        case .closed: engine.outputClosed(at: Clock.now)
        case .failed(let number):
            engine.outputFailed("cannot write the output: \(systemErrorText(number))", at: Clock.now)
        }
        pump()
    }

    private func renewed(_ credentials: Credentials?) {
        if let credentials { translator.sign(with: credentials) }
        pump()
    }

    private func journalReported(_ failure: StorageError?) {
        if let failure {
            engine.journalFailed("the journal failed: \(failure)", at: Clock.now)
        } else {
            engine.journalSynced(at: Clock.now)
        }
        pump()
    }

    package func signalArrived(_ signal: Int32) {
        lines.stopReading()
        engine.signalArrived(signal, at: Clock.now)
        pump()
    }

    fileprivate func flush() {
        engine.flushRequested(at: Clock.now)
        pump()
    }

    private func report(_ id: RequestID, _ evidence: SignedRequest.Evidence, _ report: GatewayReport) {
        translator.tell(&engine, id, evidence, report, at: Clock.now)
        if translator.takeTokenRefusal() { renewer?.refused() }
        pumpLater()
    }

    // MARK: - Actions

    private func pumpLater() {
        wakeUp.planSoon { [self] in pump() }
    }

    /// Does all that the engine wants done now.
    private func pump() {
        send()
        record()
        abandon()
        write()
        giveCredit()
        setTimer()
        finishIfDone()
    }

    private func send() {
        guard let gateway else { return }
        // After a machine has slept, the credentials may have ended before anything else is looked at.
        renewer?.renewIfDue()
        let areAwaited = renewer?.areAwaited ?? false
        let now = Clock.now
        let (epochSeconds, sendDate) = (translator.epochSeconds, sendDate)
        while true {
            isHeldBack = areAwaited || !gateway.isReady()
            guard !isHeldBack, let request = engine.nextRequest(at: now, sendDate: sendDate) else { break }
            gateway.send(request.id, translator.signed(request, of: engine, at: now, epochSeconds: epochSeconds))
        }
    }

    /// Gives requests up that the engine does not wait for any more, unless their answers are there after all.
    ///
    /// A process that was stopped, or had no processor for long, finds answers and time-outs together; and a turn of the event
    /// loop looks at as many sockets as it expects to have something to tell before it comes to the timers.
    private func abandon() {
        guard overdue.isEmpty else { return }
        while let id = engine.nextAbandoned(at: Clock.now) { overdue.append(id) }
        if !overdue.isEmpty { lookAgain(turns: Self.turnsBeforeAbandoning) }
    }

    private func lookAgain(turns: Int) {
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [self] in
            guard turns <= 1 else { return lookAgain(turns: turns - 1) }
            // Some have been answered meanwhile, or have left only now that their connection is there.
            for id in overdue where engine.isOverdue(id, at: Clock.now) { gateway?.abandon(id) }
            overdue.removeAll()
            pump()
        }
    }

    /// Brings the next records to stable storage.
    private func record() {
        guard let journal, let group = engine.takeJournal(at: Clock.now) else { return }
        journal.append(group)
    }

    private func write() {
        lines.write { engine.takeOutput(into: &$0, upTo: $1) }
    }

    private func giveCredit() {
        // An urgent message overtakes what is ready once it is read, so reading goes on then.
        if configuration.defaults.urgentTemplates.isEmpty {
            lines.pauseReading(engine.hasEnough(whileOutputIsFull: lines.isOutputFull))
        }
        lines.giveCredit(engine.released, of: engine.window, spare: { engine.takeSpareChunk() })
    }

    /// Sees that the engine is called when something becomes due.
    private func setTimer() {
        guard var deadline = engine.nextDeadline() else { return }
        // What the engine would have sent is due all the time; the gateway tells when it can take it.
        if isHeldBack { deadline = max(deadline, Clock.now.advanced(by: .milliseconds(1))) }
        wakeUp.plan(deadline) { [self] in
            engine.deadlineReached(at: Clock.now)
            pump()
        }
    }

    private func finishIfDone() {
        // Events may still come in when all is done: the reader's end, a connection's close.
        guard engine.isFinished, lines.mayEnd else { return }
        wakeUp.cancel()
        lines.end()
        journal?.append(nil)
        gateway?.close()
        result = PipeResult(
            progress: progress,
            stops: engine.stops,
            endingSignal: engine.endingSignal,
            inputError: lines.inputError,
        )
    }
}

extension Run<Pipe> {
    /// Sends what is batched.
    package func flush() {
        execute { $0.flush() }
    }
}

extension SystemRandomNumberGenerator {
    /// One random value.
    fileprivate var firstValue: UInt64 {
        var generator = self
        return generator.next()
    }
}
