// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// All that becomes of receipts: pushes to a URL, and the two queues.
struct GatewayReceipts: Sendable {
    private var pushFeed = ReceiptFeed()
    private var queueFeed = ReceiptFeed()
    private var reports: ReceiptQueue
    private var replies: ReceiptQueue
    private var replyCount = 0
    /// The pushes of delivery reports, and of replies if they are pushed.
    var pushes: ReceiptPushes
    private var generator: SeededGenerator
    /// The credentials for the queues that were given out last.
    private var tokens: [QueueToken] = []

    /// Creates receipts for a gateway that has taken nothing.
    init(configuration: SimulatorConfiguration) {
        let seed = (configuration.seed ?? 0) ^ 0x7265_6365_6970_7473
        reports = ReceiptQueue(timeScale: configuration.timeScale)
        replies = ReceiptQueue(timeScale: configuration.timeScale)
        pushes = ReceiptPushes(
            timeScale: configuration.timeScale,
            duplicateShare: configuration.duplicateReceipts,
            seed: seed,
        )
        generator = SeededGenerator(seed: seed &+ 1)
    }

    /// Takes the pushes that are due by now.
    mutating func takePushes(from rules: GatewayRules, at now: WallTime) -> [ReceiptPushes.Push] {
        while pushes.hasRoom {
            let due = pushFeed.take(from: rules, at: now, limit: ReceiptPushes.batchSize)
            guard !due.isEmpty else { break }
            pushes.add(due, at: now)
        }
        return pushes.take(at: now)
    }

    /// Has someone write a reply, which goes into its queue, and is pushed if there is a URL for receipts.
    mutating func add(_ reply: IncomingReply, at now: WallTime, isPushed: Bool) -> Receipt {
        replyCount += 1
        let receipt = Receipt.reply(reply, at: now, number: replyCount)
        replies.add([receipt], at: now, using: &generator)
        if isPushed { pushes.add([receipt], at: now) }
        return receipt
    }

    // MARK: The queues

    /// Gives out credentials for the queues.
    ///
    /// Source: api 5.2.
    mutating func makeToken(at now: WallTime) -> QueueToken {
        let token = QueueToken(
            accessKeyID: generator.nextKey(prefix: "STS.", count: 20),
            accessKeySecret: generator.nextKey(prefix: "", count: 40),
            securityToken: generator.nextKey(prefix: "CAIS", count: 120),
            createTime: now,
            expireTime: now + .seconds(600),
        )
        tokens = tokens.suffix(63) + [token]
        return token
    }

    /// Answers a request to a queue: receive or delete.
    mutating func answer(_ request: QueueRequest, rules: GatewayRules, at now: WallTime) -> SimulatedAnswer {
        let requestID = generator.nextRequestID().filter { $0 != "-" }
        guard let token = tokens.last(where: { $0.accessKeyID == request.accessKeyID }) else {
            return .queueProblem(403, "AccessIDAuthError", "AccessID is not found.", requestID)
        }
        guard request.matches(secret: token.accessKeySecret) else {
            return .queueProblem(403, "SignatureDoesNotMatch", "The signature is wrong.", requestID)
        }
        guard request.securityToken == token.securityToken, now < token.expireTime else {
            return .queueProblem(403, "InvalidSecurityToken", "The security token is wrong or expired.", requestID)
        }
        switch request.action {
        case .receive(let count): return receive(count, from: request.kind, rules: rules, requestID, at: now)
        case .delete(let handles): return delete(handles, from: request.kind, at: now)
        }
    }

    private mutating func receive(
        _ count: Int,
        from kind: QueueRequest.Kind,
        rules: GatewayRules,
        _ requestID: String,
        at now: WallTime,
    ) -> SimulatedAnswer {
        let received: [ReceiptQueue.Entry]
        switch kind {
        case .report:
            let due = queueFeed.take(from: rules, at: now, limit: ReceiptQueue.maximumCount)
            reports.add(due, at: now, using: &generator)
            received = reports.receive(count, at: now, using: &generator)
        case .reply:
            received = replies.receive(count, at: now, using: &generator)
        }
        guard !received.isEmpty else {
            return .queueProblem(404, "MessageNotExist", "Message not exist.", requestID)
        }
        return .queueMessages(received)
    }

    private mutating func delete(
        _ handles: [String],
        from kind: QueueRequest.Kind,
        at now: WallTime,
    ) -> SimulatedAnswer {
        let unknown = kind == .report ? reports.delete(handles, at: now) : replies.delete(handles, at: now)
        guard !unknown.isEmpty else { return SimulatedAnswer(status: 204, body: []) }
        return .queueErrors(unknown, "ReceiptHandleError", "The receipt handle you provided has expired or is wrong.")
    }
}

/// Credentials for the queues.
///
/// Source: api 5.2, MessageTokenDTO.
struct QueueToken: Equatable, Sendable {
    var accessKeyID: String
    var accessKeySecret: String
    var securityToken: String
    var createTime: WallTime
    var expireTime: WallTime

    /// The member of the answer to QueryTokenForMnsQueue.
    var value: AnswerValue {
        .members([
            ("AccessKeyId", .string(accessKeyID)), ("AccessKeySecret", .string(accessKeySecret)),
            ("SecurityToken", .string(securityToken)), ("CreateTime", .string(createTime.chinaText)),
            ("ExpireTime", .string(expireTime.chinaText)),
        ])
    }
}
