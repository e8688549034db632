// SPDX-License-Identifier: Apache-2.0

package import AlibabaCloudSMS
package import MessagePipe
import Dispatch
import NIOCore
import NIOPosix

/// What a run needs to know.
package struct PipeConfiguration: Sendable {
    /// How messages are batched, sent and answered.
    package var engine: Engine.Configuration
    /// Values for members that lines leave out.
    package var defaults: MessageParser.Defaults
    /// The longest line that is accepted, in bytes.
    package var maximumLineBytes: Int
    /// Where requests go.
    package var endpoint: GatewayEndpoint
    /// The proxy on the way there.
    package var proxy: Proxy?
    /// A file of further trusted certificates.
    package var caFile: String?
    /// How requests are signed.
    package var signatureScheme: SignatureScheme
    /// Who sends.
    package var credentials: Credentials
    /// What makes the run safe against its end at any moment.
    package var journal: OpenJournal?

    /// Creates a configuration without proxy and further certificates, signing with V3.
    package init(
        engine: Engine.Configuration,
        defaults: MessageParser.Defaults,
        maximumLineBytes: Int,
        endpoint: GatewayEndpoint,
        credentials: Credentials,
    ) {
        self.engine = engine
        self.defaults = defaults
        self.maximumLineBytes = maximumLineBytes
        self.endpoint = endpoint
        self.credentials = credentials
        signatureScheme = .v3
    }
}

/// How a run ended.
package struct PipeResult: Sendable {
    /// What was done.
    package var progress: Progress
    /// Why it stopped sending early, if it did.
    package var stop: StopReason?
    /// The signal that ended it.
    package var endingSignal: Int32?
    /// The input that could not be read to its end.
    package var inputError: InputError?
}

/// Runs the engine: reads, sends and writes what it says, and tells it what happened.
///
/// It decides nothing. The engine belongs to the event loop; the reader and the writer have a thread each and exchange whole
/// chunks and buffers with it.
package final class Pipe {
    /// How much output is gathered for one write, in bytes.
    private static let outputSize = 256 << 10

    private let configuration: PipeConfiguration
    private let eventLoop: any EventLoop
    private let started = Clock.now
    private var engine: Engine
    /// Made with the first request: a run without messages need not wait for libcrypto to get ready.
    private var signer: RequestSigner?
    private var call = Call(.sendBatchSms)
    private var decoder = AnswerDecoder()
    private var nonceSource = RandomSource()
    private let hostHeader: String
    /// How far the gateway's clock is ahead of ours, in seconds; set when it found a time stamp too old.
    private var clockOffset = 0
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
        hostHeader = configuration.endpoint.hostHeader
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
                let file = opened?.file
                let new = Pipe(configuration, journal: opened?.journal, eventLoop: eventLoop)
                pipe = new
                let bound = NIOLoopBound(new, eventLoop: eventLoop)
                if let file { new.startJournal(bound, door, file) }
                new.startThreads(bound, door, inputs, outputDescriptor)
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
            connected: { [self] in engine.connected() },
            ready: { [self] in pumpLater() },
            report: { [self] in report($0, $1, $2) },
        )
        let output = OrderedOutput(descriptor: outputDescriptor) { event in
            door.execute { bound.value.outputReported(event) }
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

    private func outputReported(_ event: OrderedOutput.Event) {
        writes -= 1
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
        let now = Clock.now
        switch report {
        case .notSent(let reason): engine.notSent(id, reason, at: now)
        case .unknown(let doubt): engine.unknown(id, doubt, at: now)
        case .answered(let answer):
            if !lookUps.isEmpty, lookUps[id] != nil {
                lookedUp(id, answer, at: now)
            } else {
                answered(id, evidence, answer, at: now)
            }
        }
        if !lookUps.isEmpty { lookUps[id] = nil }
        pumpLater()
    }

    private func answered(
        _ id: RequestID,
        _ evidence: SignedRequest.Evidence,
        _ received: HTTPAnswer,
        at now: Instant,
    ) {
        do {
            let answer = try decoder.decode(
                status: received.status,
                retryAfterMilliseconds: received.retryAfterMilliseconds,
                body: received.body.span,
                evidence: evidence,
            )
            if answer.codeClass == .stale { correctClock(by: received) }
            switch answer.codeClass {
            case .ambiguous where !received.isRequestWhole:
                engine.notSent(id, .brokenWhileSending, at: now)
            case .success where !received.isRequestWhole:
                // Not of this request, whoever it was meant for; what the gateway does with a part of one nobody knows.
                engine.unknown(id, .unreadable(status: received.status), at: now)
            default:
                engine.answered(id, answer, at: now)
            }
        } catch {
            guard received.isRequestWhole else {
                engine.notSent(id, .brokenWhileSending, at: now)
                return
            }
            engine.unknown(id, .unreadable(status: received.status), at: now)
        }
    }

    /// Takes over the gateway's time, so that a request signed anew is found fresh.
    private func correctClock(by answer: HTTPAnswer) {
        guard let date = answer.field("date"), let time = CivilTime(httpDate: date) else { return }
        clockOffset = time.epochSeconds - Clock.epochSeconds
    }

    // MARK: - Look-ups

    /// What look-ups under way ask for, and when they left by the gateway's clock.
    private var lookUps: [RequestID: (lookUp: LookUp, leftAt: Int)] = [:]

    private func lookedUp(_ id: RequestID, _ received: HTTPAnswer, at now: Instant) {
        guard let (lookUp, leftAt) = lookUps[id] else { return }
        var isFound = false
        if case .details(let details)? = try? SendDetailsDecoder.decode(
            status: received.status,
            body: received.body.span,
        ) {
            // Clocks may differ by a little; the gateway's stamp is cut to whole seconds.
            let earliest = leftAt - Int(lookUp.secondsSinceSent) - 2
            isFound = details.hasMessage(
                outID: String(decoding: lookUp.outID, as: UTF8.self),
                templateCode: String(decoding: lookUp.templateCode, as: UTF8.self),
                sentSince: lookUp.isOwnOutID ? earliest : nil,
            )
        }
        engine.lookedUp(id, isFound: isFound, at: now)
    }

    /// The day to ask for: near midnight in China, where clocks may differ about the day, that and its neighbour in turn.
    private func lookUpDate(of lookUp: LookUp, leftAt: Int) -> UInt32 {
        ChinaTime.dateNumber(
            lookUp.sendDate,
            orItsNeighbourAt: leftAt - Int(lookUp.secondsSinceSent),
            attempt: lookUp.attempt,
        )
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
        while let id = engine.nextAbandoned() { gateway?.abandon(id) }
        write()
        giveCredit()
        setTimer()
        finishIfDone()
    }

    private func send() {
        let epochSeconds = Clock.epochSeconds + clockOffset
        let now = Clock.now
        let sendDate = ChinaTime.dateNumber(epochSeconds: epochSeconds)
        while let gateway {
            isHeldBack = !gateway.isReady()
            guard !isHeldBack, let request = engine.nextRequest(at: now, sendDate: sendDate) else { break }
            switch request.call {
            case .sendBatch: call.assignSendBatchSms(request.id, of: engine)
            case .sendSingle: call = .sendSms(request.id, of: engine)
            case .lookUp:
                let lookUp = engine.lookUp(of: request.id, at: now)
                lookUps[request.id] = (lookUp, epochSeconds)
                call = .querySendDetails(
                    phoneNumber: lookUp.phoneNumber.span,
                    sendDate: String(lookUpDate(of: lookUp, leftAt: epochSeconds)).utf8.span,
                )
            }
            gateway.send(request.id, signed(call, at: epochSeconds))
        }
    }

    private func signed(_ call: Call, at epochSeconds: Int) -> SignedRequest {
        var signer =
            signer.take()
            ?? RequestSigner(
                scheme: configuration.signatureScheme,
                credentials: configuration.credentials,
            )
        let signed = signer.sign(call, host: hostHeader, at: epochSeconds, nonce: Nonce(using: &nonceSource))
        self.signer = consume signer
        return signed
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
        let scheduled = eventLoop.assumeIsolated().scheduleTask(
            deadline: .uptimeNanoseconds(UInt64(max(deadline.nanoseconds, 0)))
        ) { [self] in
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
            stop: engine.stop,
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
