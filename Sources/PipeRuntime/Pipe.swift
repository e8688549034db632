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
package final class Pipe {
    /// How often all sockets are looked at before requests are given up: each time the event loop may take in twice as many.
    private static let turnsBeforeAbandoning = 8
    /// How long the event loop sleeps at most while something is to become due: the machine may have slept meanwhile.
    private static let longestWait = Duration.seconds(1)
    /// How much output is gathered for one write, in bytes.
    private static let outputSize = 256 << 10

    private let configuration: PipeConfiguration
    private let eventLoop: any EventLoop
    private let started = Clock.now
    private var engine: Engine
    private var translator: GatewayTranslator
    private var renewer: CredentialsRenewer?
    private var gateway: Gateway?

    private let credit: InputCredit
    private var reader: InputReader?
    private var inputError: InputError?
    private var given: (messages: Int, bytes: Int) = (0, 0)
    private var isPaused = false

    private var journal: JournalWriter?

    private var output: OrderedOutput?
    /// Empty between writes.
    private var buffer: [UInt8] = []
    /// How many buffers are with the output.
    private var writes = 0

    /// Requests that are about to be given up.
    private var overdue: [RequestID] = []
    private var timer: (scheduled: Scheduled<Void>, at: Instant)?
    private var isPumpPlanned = false
    /// Whether the gateway takes no request for a moment.
    private var isHeldBack = false
    /// Set at the end.
    private var result: PipeResult?

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
        credit = InputCredit(
            messages: configuration.engine.window,
            reserve: configuration.engine.windowReserve,
            bytes: configuration.engine.maximumHeldBytes,
        )
    }

    /// A run that is under way.
    package struct Run: Sendable {
        fileprivate let pipe: NIOLoopBound<Pipe>
        fileprivate let eventLoop: any EventLoop
        fileprivate let door: LoopDoor

        /// Tells the run that a signal asks for its end; a second one is the caller's to act on.
        package func end(bySignal signal: Int32) {
            door.execute { [pipe] in pipe.value.signalArrived(signal) }
        }

        /// Sends what is batched.
        package func flush() {
            door.execute { [pipe] in pipe.value.flush() }
        }

        /// Tells what has been done so far, on the run's own thread.
        package func report(_ tell: @escaping @Sendable (Progress) -> Void) {
            door.execute { [pipe] in tell(pipe.value.progress) }
        }

        /// Tells what has been done so far again and again while the run lasts, on the run's own thread.
        package func report(every interval: Duration, _ tell: @escaping @Sendable (Progress) -> Void) {
            let delay = TimeAmount(interval)
            eventLoop.scheduleRepeatedTask(initialDelay: delay, delay: delay) { [pipe] _ in tell(pipe.value.progress) }
        }
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
        began: (Run) -> Void = { _ in },
    ) -> PipeResult {
        var pipe: Pipe?
        // One event loop serves all connections: hops between threads cost more than the work itself.
        withoutActuallyEscaping(began) { began in
            MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { eventLoop in
                let door = LoopDoor(eventLoop)
                let opened = configuration.journal?.take()
                let file = opened?.file ?? nil
                let new = Pipe(configuration, journal: opened?.journal, eventLoop: eventLoop)
                pipe = new
                let bound = NIOLoopBound(new, eventLoop: eventLoop)
                if let file { new.startJournal(bound, door, file) }
                new.startThreads(bound, door, inputs, outputDescriptor)
                new.renewer = CredentialsRenewer(
                    configuration.credentials,
                    by: configuration.renewCredentials,
                    on: eventLoop,
                    door,
                    epochSeconds: { new.translator.epochSeconds },
                    ended: { new.renewed($0) },
                )
                began(Run(pipe: bound, eventLoop: eventLoop, door: door))
            }
        }
        guard let result = pipe?.result else { preconditionFailure("the event loop has ended before the run") }
        return result
    }

    private var progress: Progress {
        Progress(
            tally: engine.tally,
            duration: started.duration(to: Clock.now),
            bytesRead: reader?.bytesRead ?? 0,
            bytesToRead: reader?.bytesToRead,
        )
    }

    private func startJournal(_ bound: NIOLoopBound<Pipe>, _ door: LoopDoor, _ file: JournalFile) {
        let writer = JournalWriter(file) { failure in
            door.execute { bound.value.journalReported(failure) }
        }
        journal = writer
        DispatchQueue(label: "journal").async { writer.run() }
    }

    private func startThreads(
        _ bound: NIOLoopBound<Pipe>,
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
            connected: { [self] in
                engine.connected()
                pumpLater()
            },
            leaves: { [self] in engine.leaves($0, at: Clock.now) },
            ready: { [self] in pumpLater() },
            report: { [self] in report($0, $1, $2) },
        )
        let output = OrderedOutput(descriptor: outputDescriptor) { event, isOfBuffer in
            door.execute { bound.value.outputReported(event, isOfBuffer: isOfBuffer) }
        }
        self.output = output
        let reader = InputReader(
            inputs,
            parser: MessageParser(
                defaults: configuration.defaults,
                maximumLineBytes: configuration.maximumLineBytes,
                identifier: configuration.journal?.identifier,
            ),
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
        case .idled: engine.inputIdled(at: Clock.now)
        case .ended: engine.inputEnded(at: Clock.now)
        case .failed(let error):
            inputError = error
            engine.inputEnded(at: Clock.now)
        }
        pump()
    }

    private func outputReported(_ event: OrderedOutput.Event, isOfBuffer: Bool) {
        if isOfBuffer { writes -= 1 }
        switch event {
        case .written: break
        case .closed:
            reader?.stop()
            engine.outputClosed(at: Clock.now)
        case .failed(let number):
            reader?.stop()
            engine.storageFailed("cannot write the output: \(systemErrorText(number))", at: Clock.now)
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

    private func signalArrived(_ signal: Int32) {
        reader?.stop()
        engine.signalArrived(signal, at: Clock.now)
        pump()
    }

    private func flush() {
        engine.flushRequested(at: Clock.now)
        pump()
    }

    private func report(_ id: RequestID, _ evidence: SignedRequest.Evidence, _ report: GatewayReport) {
        translator.tell(&engine, id, evidence, report, at: Clock.now)
        if translator.takeTokenRefusal() { renewer?.refused() }
        pumpLater()
    }

    // MARK: - Actions

    /// Does it when all that has come in on the connections is taken in.
    ///
    /// Answers that arrive together then share a write and its hop to the writer's thread, and their connections the next
    /// requests.
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
        let epochSeconds = translator.epochSeconds
        let sendDate = ChinaTime.dateNumber(epochSeconds: epochSeconds)
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
        // An urgent message overtakes what is ready once it is read, so reading goes on then.
        let hasEnough = engine.hasEnough(whileOutputIsFull: writes == OrderedOutput.maximumUnreported)
        if hasEnough != isPaused, configuration.defaults.urgentTemplates.isEmpty {
            isPaused.toggle()
            credit.pause(isPaused)
        }
        let released = engine.released
        guard released != given else { return }
        while let spare = engine.takeSpareChunk() { credit.give(spare) }
        credit.give(messages: released.messages - given.messages, bytes: released.bytes - given.bytes)
        given = released
    }

    /// Sees that the engine is called when something becomes due.
    private func setTimer() {
        guard var deadline = engine.nextDeadline() else { return }
        // What the engine would have sent is due all the time; the gateway tells when it can take it.
        if isHeldBack { deadline = max(deadline, Clock.now.advanced(by: .milliseconds(1))) }
        // A timer that fires too early only asks again; so an earlier one is left as it is.
        if let timer, timer.at <= deadline { return }
        timer?.scheduled.cancel()
        // The event loop's clock stands still while the machine sleeps: it knows waits, but not our times.
        let wait = TimeAmount(min(max(Clock.now.duration(to: deadline), .zero), Self.longestWait))
        let scheduled = eventLoop.assumeIsolated().scheduleTask(in: wait) { [self] in
            timer = nil
            engine.deadlineReached(at: Clock.now)
            pump()
        }
        timer = (scheduled, deadline)
    }

    private func finishIfDone() {
        // Events may still come in when all is done: the reader's end, a connection's close.
        guard engine.isFinished, writes == 0, output != nil else { return }
        timer?.scheduled.cancel()
        reader?.stop()
        output?.end()
        output = nil
        journal?.append(nil)
        gateway?.close()
        result = PipeResult(
            progress: progress,
            stops: engine.stops,
            endingSignal: engine.endingSignal,
            inputError: inputError,
        )
    }
}

extension SystemRandomNumberGenerator {
    /// One random value.
    fileprivate var firstValue: UInt64 {
        var generator = self
        return generator.next()
    }
}
