// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe

/// Puts what the engine asks for into signed requests, and tells it in its own words what came back.
struct GatewayTranslator: ~Copyable {
    private let host: String
    private let scheme: SignatureScheme
    private var credentials: Credentials
    /// Made with the first request: a run without messages need not wait for libcrypto to get ready.
    private var signer: RequestSigner?
    private var call = Call(.sendBatchSms)
    private var decoder = AnswerDecoder()
    private var nonceSource = RandomSource()
    private var clock = ServiceClock()
    private var hasTokenRefusal = false
    /// What look-ups under way ask for, and when they left by our clock.
    private var lookUps: [RequestID: (lookUp: LookUp, leftAt: Int)] = [:]

    /// - Parameters:
    ///   - host: The `Host` field of every request.
    ///   - scheme: How they are signed.
    ///   - credentials: Who signs.
    init(host: String, scheme: SignatureScheme, credentials: Credentials) {
        self.host = host
        self.scheme = scheme
        self.credentials = credentials
    }

    /// Signs with other credentials from now on.
    mutating func sign(with credentials: Credentials) {
        self.credentials = credentials
        signer = nil
    }

    /// The time by the gateway's clock, in seconds since 1970.
    var epochSeconds: Int { clock.epochSeconds }

    // MARK: - Requests

    /// The signed request for what the engine wants to be sent.
    ///
    /// - Parameters:
    ///   - request: What it wants.
    ///   - engine: Holds the messages.
    ///   - now: The time of the run.
    ///   - epochSeconds: The same by the gateway's clock.
    /// - Returns: The request, ready to be written.
    mutating func signed(
        _ request: Request,
        of engine: borrowing Engine,
        at now: Instant,
        epochSeconds: Int,
    ) -> SignedRequest {
        switch request.call {
        case .sendBatch: call.assignSendBatchSms(request.id, of: engine)
        case .sendSingle: call = .sendSms(request.id, of: engine)
        case .lookUp:
            let lookUp = engine.lookUp(of: request.id, at: now)
            lookUps[request.id] = (lookUp, Clock.epochSeconds)
            call = .querySendDetails(
                phoneNumber: lookUp.phoneNumber.span,
                sendDate: String(Self.date(of: lookUp, leftAt: epochSeconds)).utf8.span,
            )
        }
        return signed(at: epochSeconds)
    }

    /// The signed request for a look-up of `status`.
    mutating func signed(_ lookUp: StatusEngine.LookUp) -> SignedRequest {
        call = .querySendDetails(
            phoneNumber: lookUp.phoneNumber.span,
            sendDate: String(lookUp.sendDate.number).utf8.span,
            bizID: lookUp.bizID,
            page: lookUp.page,
        )
        return signed(at: epochSeconds)
    }

    private mutating func signed(at epochSeconds: Int) -> SignedRequest {
        var signer = signer.take() ?? RequestSigner(scheme: scheme, credentials: credentials)
        let signed = signer.sign(call, host: host, at: epochSeconds, nonce: Nonce(using: &nonceSource))
        self.signer = consume signer
        return signed
    }

    /// The day to ask for: near midnight in China, where clocks may differ about the day, that and its neighbour in turn.
    private static func date(of lookUp: LookUp, leftAt: Int) -> UInt32 {
        ChinaTime.dateNumber(
            lookUp.sendDate,
            orItsNeighbourAt: leftAt - Int(lookUp.secondsSinceSent),
            attempt: lookUp.attempt,
        )
    }

    // MARK: - Answers

    /// Tells the engine what became of a request.
    mutating func tell(
        _ engine: inout Engine,
        _ id: RequestID,
        _ evidence: SignedRequest.Evidence,
        _ report: GatewayReport,
        at now: Instant,
    ) {
        let lookUp = lookUps.isEmpty ? nil : lookUps.removeValue(forKey: id)
        switch report {
        case .notSent(let reason): engine.notSent(id, reason, at: now)
        case .unknown(let doubt): engine.unknown(id, doubt, at: now)
        case .answered(let received):
            if let (lookUp, leftAt) = lookUp {
                tellLookUp(&engine, id, lookUp, leftAt: leftAt, received, at: now)
            } else {
                tellAnswer(&engine, id, evidence, received, at: now)
            }
        }
    }

    private mutating func tellLookUp(
        _ engine: inout Engine,
        _ id: RequestID,
        _ lookUp: LookUp,
        leftAt: Int,
        _ received: HTTPAnswer,
        at now: Instant,
    ) {
        let result = try? SendDetailsDecoder.decode(status: received.status, body: received.body.span)
        switch result {
        case .details(let details):
            engine.lookedUp(id, isFound: finds(lookUp, leftAt: leftAt, in: details, of: received), at: now)
        case .refused(let answer) where answer.codeClass == .stale:
            noteStale(answer, received)
            engine.lookUpRefusedAsStale(id, at: now)
        case .refused, nil: engine.unknown(id, .unreadable(status: received.status), at: now)
        }
    }

    private mutating func tellAnswer(
        _ engine: inout Engine,
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
            noteStale(answer, received)
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

    /// Tells the engine of `status` what became of a look-up.
    mutating func tell(
        _ engine: inout StatusEngine,
        _ id: RequestID,
        _ evidence: SignedRequest.Evidence,
        _ report: GatewayReport,
        at now: Instant,
    ) {
        switch report {
        case .notSent(let reason): engine.notSent(id, reason, at: now)
        case .unknown(let doubt): engine.unanswered(id, doubt, at: now)
        case .answered(let received):
            let result = try? SendDetailsDecoder.decode(
                status: received.status,
                retryAfterMilliseconds: received.retryAfterMilliseconds,
                body: received.body.span,
                evidence: evidence,
            )
            switch result {
            case .details(let details): engine.answered(id, details, at: now)
            case .refused(let answer):
                noteStale(answer, received)
                engine.refused(id, answer, at: now)
            case nil: engine.unanswered(id, .unreadable(status: received.status), at: now)
            }
        }
    }

    /// Whether the gateway found the security token expired since this was asked last.
    mutating func takeTokenRefusal() -> Bool {
        defer { hasTokenRefusal = false }
        return hasTokenRefusal
    }

    private mutating func noteStale(_ answer: Answer, _ received: HTTPAnswer) {
        guard answer.codeClass == .stale else { return }
        if answer.code.contains("SecurityToken") { hasTokenRefusal = true }
        clock.correct(by: received)
    }

    /// Whether the records that a look-up got are also of the message that was looked for.
    private func finds(_ lookUp: LookUp, leftAt: Int, in details: SendDetails, of received: HTTPAnswer) -> Bool {
        // Records have the gateway's time, and ours may be far from it as long as it takes our signatures for fresh.
        let now = ServiceClock.time(of: received) ?? epochSeconds
        let sent = now - (Clock.epochSeconds - leftAt) - Int(lookUp.secondsSinceSent)
        // The gateway's stamps are cut to whole seconds.
        let times = (sent - 2)...(sent + max(0, Int(lookUp.secondsUntilTaken)))
        return details.hasMessage(
            outID: String(decoding: lookUp.outID, as: UTF8.self),
            templateCode: String(decoding: lookUp.templateCode, as: UTF8.self),
            sentWithin: lookUp.isOwnOutID ? times : nil,
        )
    }
}
