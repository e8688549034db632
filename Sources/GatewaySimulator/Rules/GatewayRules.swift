// SPDX-License-Identifier: Apache-2.0

/// The simulated gateway without its server: a request and a time in, an answer out.
///
/// It reads no clock, does no input or output and holds no randomness but that of its faults, so the same requests at the same
/// times with the same generator give the same answers.
package struct GatewayRules: Sendable {
    /// The account that it serves.
    package let account: SimulatedAccount
    var configuration: SimulatorConfiguration
    var records: GatewayRecords
    var faults: FaultPlan
    var spending: AccountSpending
    var limiter: NumberLimiter
    var receipts: GatewayReceipts
    private(set) var nonces: NonceMemory
    private var buckets: [APIAction: TokenBucket] = [:]

    /// Creates a gateway.
    ///
    /// - Parameters:
    ///   - configuration: What it is set to do; its seed decides the faults.
    ///   - account: The account that it serves.
    package init(configuration: SimulatorConfiguration, account: SimulatedAccount) {
        self.configuration = configuration
        self.account = account
        records = GatewayRecords(
            maximumCount: configuration.maximumKeptMessages,
            comparedCount: configuration.maximumComparedMessages,
        )
        faults = FaultPlan(rules: configuration.faults, latency: configuration.latency, seed: configuration.seed ?? 0)
        nonces = NonceMemory(capacity: configuration.maximumNonces)
        receipts = GatewayReceipts(configuration: configuration)
        spending = AccountSpending(balance: account.balance)
        limiter = NumberLimiter(limits: configuration.numberLimits ?? account.numberLimits)
    }

    /// Answers a request to the API.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - now: What time it is.
    ///   - generator: Gives the random bits of ids.
    /// - Returns: The answer.
    package mutating func answer(
        _ request: SimulatedRequest,
        at now: WallTime,
        using generator: inout some RandomNumberGenerator,
    ) -> SimulatedAnswer {
        answer(ReceivedCall(request, account: account), at: now, using: &generator)
    }

    /// Answers a call that was read before.
    ///
    /// - Parameters:
    ///   - call: The call, read with this gateway's account.
    ///   - now: What time it is.
    ///   - generator: Gives the random bits of ids.
    /// - Returns: The answer.
    package mutating func answer(
        _ call: ReceivedCall,
        at now: WallTime,
        using generator: inout some RandomNumberGenerator,
    ) -> SimulatedAnswer {
        var reply = Reply(call, at: now, requestID: generator.nextRequestID())
        if let refusal = refusalByGateway(call, at: now) {
            reply.refuse(refusal)
        } else if let action = call.action {
            let fault = faults.next(action: action.rawValue, send: call.send)
            reply.fault = fault
            switch fault {
            case .error(let code): reply.refuse(.named(code))
            case .unavailable: reply.refuse(.named("ServiceUnavailable"))
            case .dropBefore: reply.refuse(.gateway("drop-before", 503, "The connection was closed."))
            default: perform(action, call, &reply, using: &generator)
            }
        }
        records.append(reply.record)
        return reply.answer(after: faults.nextDelay())
    }

    private mutating func perform(
        _ action: APIAction,
        _ call: ReceivedCall,
        _ reply: inout Reply,
        using generator: inout some RandomNumberGenerator,
    ) {
        do throws(Refusal) {
            try checkPermission(call)
            switch action {
            case .sendBatchSms, .sendSms:
                try send(call, &reply, bizID: generator.nextBizID())
            case .querySendDetails:
                reply.members = try sendDetails(call.parameters, at: reply.time)
            case .querySendStatistics:
                reply.members = try sendStatistics(call.parameters, at: reply.time)
            case .getSmsTemplate: reply.members = try getTemplate(call.parameters)
            case .querySmsTemplate: reply.members = try queryTemplate(call.parameters)
            case .querySmsTemplateList: reply.members = try templateList(call.parameters)
            case .getSmsSign: reply.members = try getSignName(call.parameters)
            case .querySmsSign: reply.members = try querySignName(call.parameters)
            case .queryTokenForMnsQueue:
                guard ["SmsReport", "SmsUp"].contains(try call.parameters.required("MessageType")) else {
                    throw .service("isv.INVALID_PARAMETERS", "MessageType must be SmsReport or SmsUp.")
                }
                reply.members = [("MessageTokenDTO", receipts.makeToken(at: reply.time).value)]
            case .querySmsSignList: reply.members = try signNameList(call.parameters)
            }
        } catch {
            reply.refuse(error)
        }
    }

    // MARK: The gateway's own checks

    /// The checks in the order of api 10: parameters, key, time, signature, nonce, token, action and version, throttle.
    private mutating func refusalByGateway(_ call: ReceivedCall, at now: WallTime) -> Refusal? {
        if let refusal = call.refusal ?? call.keyRefusal { return refusal }
        guard let signature = call.signature else { return nil }
        // Source: api 6.4, InvalidTimeStamp.Expired: more than 15 minutes off GMT.
        guard abs((now - signature.time) / .seconds(1)) <= 900 else { return .named("InvalidTimeStamp.Expired") }
        if let refusal = call.signatureRefusal { return refusal }
        if let nonce = signature.nonce, !nonces.insert(nonce, of: signature.accessKeyID, at: now) {
            return .named("SignatureNonceUsed")
        }
        if let refusal = refusalForToken(signature, at: now) ?? call.actionRefusal { return refusal }
        return call.action.flatMap { throttle($0, at: now) }
    }

    private func refusalForToken(_ signature: RequestSignature, at now: WallTime) -> Refusal? {
        let key = account.accessKeys[signature.accessKeyID]
        guard let token = key?.securityToken else {
            let hasToken = signature.securityToken?.isEmpty == false
            return hasToken ? .named("InvalidSecurityToken.MismatchWithAccessKey") : nil
        }
        guard let received = signature.securityToken, !received.isEmpty else { return .named("MissingSecurityToken") }
        guard received == token else {
            let isOfAnotherKey = account.accessKeys.values.contains { $0.securityToken == received }
            return .named("InvalidSecurityToken.\(isOfAnotherKey ? "MismatchWithAccessKey" : "Malformed")")
        }
        if let expiration = key?.expiration, now >= expiration { return .named("InvalidSecurityToken.Expired") }
        return nil
    }

    /// Lets so many requests a second of each call through from now on; `nil` lets all through.
    mutating func limitRate(_ requestsPerSecond: Double?) {
        configuration.requestsPerSecond = requestsPerSecond
        buckets = [:]
    }

    private mutating func throttle(_ action: APIAction, at now: WallTime) -> Refusal? {
        guard let rate = configuration.requestsPerSecond else { return nil }
        guard let wait = buckets[action, default: TokenBucket(tokensPerSecond: rate)].take(at: now) else { return nil }
        var refusal = Refusal.named("Throttling.User")
        refusal.retryAfter = wait
        return refusal
    }

    private func checkPermission(_ call: ReceivedCall) throws(Refusal) {
        if let code = account.standing.code { throw .service(code) }
        guard let id = call.signature?.accessKeyID, account.accessKeys[id]?.state == .unauthorized else { return }
        throw .service("isp.RAM_PERMISSION_DENY")
    }
}
