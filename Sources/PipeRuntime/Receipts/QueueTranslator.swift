// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe

/// Puts what the engine of `receipts` asks of queues into signed requests, and tells it in its own words what came back.
struct QueueTranslator: ~Copyable {
    private let queues: ReceiptsConfiguration.Queues
    private var credentials: Credentials
    private var nonceSource = RandomSource()
    /// The tokens of the queues that have one.
    private var tokens: [Int: Credentials] = [:]
    private var clock = ServiceClock()
    private var hasTokenRefusal = false
    private var asked: [RequestID: ReceiptsEngine.QueueRequest] = [:]

    init(_ queues: ReceiptsConfiguration.Queues) {
        self.queues = queues
        credentials = queues.credentials
    }

    /// The time by the service's clock, in seconds since 1970.
    var epochSeconds: Int { clock.epochSeconds }

    /// Asks for tokens with other credentials from now on.
    mutating func sign(with credentials: Credentials) { self.credentials = credentials }

    /// Whether the service found the credentials' own token expired since this was asked last.
    mutating func takeTokenRefusal() -> Bool {
        defer { hasTokenRefusal = false }
        return hasTokenRefusal
    }

    /// The signed request for what the engine wants to ask.
    mutating func signed(_ request: ReceiptsEngine.QueueRequest) -> SignedRequest {
        asked[request.id] = request
        let name = queues.names[request.queue]
        if request.call == .token {
            var signer = RequestSigner(scheme: .v1, credentials: credentials)
            return signer.sign(
                .queryTokenForMnsQueue(name),
                host: queues.tokens.endpoint.hostHeader,
                at: epochSeconds,
                nonce: Nonce(using: &nonceSource),
            )
        }
        guard let token = tokens[request.queue] else { preconditionFailure("a queue is asked without a token") }
        var signer = QueueSigner(credentials: token)
        let host = queues.messages.endpoint.hostHeader
        if case .delete(let handles) = request.call {
            return QueueRequests.delete(handles, from: name, signer: &signer, host: host, at: epochSeconds)
        }
        return QueueRequests.receive(
            from: name,
            count: ReceiptsEngine.batchSize,
            waitSeconds: ReceiptsEngine.waitSeconds,
            signer: &signer,
            host: host,
            at: epochSeconds,
        )
    }

    /// Tells the engine what became of a request.
    mutating func tell(
        _ engine: inout ReceiptsEngine,
        _ id: RequestID,
        _ evidence: SignedRequest.Evidence,
        _ report: GatewayReport,
        at now: Instant,
    ) {
        guard let request = asked.removeValue(forKey: id) else { return }
        switch report {
        case .notSent(let reason): engine.notSent(id, reason, at: now)
        case .unknown(let doubt): engine.unanswered(id, doubt, at: now)
        case .answered(let answer):
            switch request.call {
            case .token: tellToken(&engine, request, evidence, answer, at: now)
            case .receive:
                let read = QueueRequests.Answer(received: answer.status, answer.body.span)
                tellQueue(&engine, request, read, answer, at: now)
            case .delete:
                let read = QueueRequests.Answer(deleted: answer.status, answer.body.span)
                tellQueue(&engine, request, read, answer, at: now)
            }
        }
    }

    private mutating func tellToken(
        _ engine: inout ReceiptsEngine,
        _ request: ReceiptsEngine.QueueRequest,
        _ evidence: SignedRequest.Evidence,
        _ received: HTTPAnswer,
        at now: Instant,
    ) {
        let result = try? QueueToken.decode(status: received.status, body: received.body.span, evidence: evidence)
        switch result {
        case .token(let token):
            tokens[request.queue] = token.credentials
            engine.tokenArrived(request.id, lifetime: token.lifetime, at: now)
        case .refused(let answer):
            switch answer.codeClass {
            case .credentials: engine.refused(request.id, .credentials(answer), at: now)
            case .account: engine.refused(request.id, .account(answer), at: now)
            default:
                if answer.codeClass == .stale {
                    if answer.code.contains("SecurityToken") { hasTokenRefusal = true }
                    clock.correct(by: received)
                }
                engine.failed(request.id, "\(queues.tokens.endpoint.host) answers \(answer.code)", at: now)
            }
        case nil: engine.failed(request.id, Doubt.unreadable(status: received.status).text, at: now)
        }
    }

    private mutating func tellQueue(
        _ engine: inout ReceiptsEngine,
        _ request: ReceiptsEngine.QueueRequest,
        _ answer: QueueRequests.Answer,
        _ received: HTTPAnswer,
        at now: Instant,
    ) {
        let id = request.id
        switch answer {
        case .messages(let messages): engine.received(id, messages, at: now)
        case .deleted: engine.deleted(id, at: now)
        case .refused("QueueNotExist"):
            let name = queues.names[request.queue].text
            let answer = Answer(codeClass: .account, code: "QueueNotExist", message: name)
            engine.refused(id, .account(answer), at: now)
        case .refused("AccessDenied") where request.call == .receive:
            let answer = Answer(codeClass: .credentials, code: "AccessDenied", message: "")
            engine.refused(id, .credentials(answer), at: now)
        case .refused(let code):
            clock.correct(by: received)
            if received.status == 401 || received.status == 403 {
                engine.tokenRefused(id, code: code, at: now)
            } else {
                engine.failed(id, "it answers \(code)", at: now)
            }
        case .unreadable: engine.failed(id, Doubt.unreadable(status: received.status).text, at: now)
        }
    }
}
