// SPDX-License-Identifier: Apache-2.0

/// What is asked of queues, and what came back: exactly one report for each request.
extension ReceiptsEngine {
    /// The next request that is to go out now.
    package mutating func nextRequest(at now: Instant) -> QueueRequest? {
        for queue in queues.indices {
            guard let call = queues[queue].next(at: now, receives: !isEnding && !isFull) else { continue }
            let patience = call == .receive ? timeout + .seconds(Self.waitSeconds) : timeout
            let id = RequestID(batch: BatchTable.Index(queue), number: nextNumber)
            nextNumber += 1
            flights[id] = Flight(queue: queue, call: call, askedAt: now, timeoutAt: now.advanced(by: patience))
            return QueueRequest(id: id, queue: queue, call: call)
        }
        return nil
    }

    /// A request that is to be given up; its report is still due.
    package mutating func nextAbandoned(at now: Instant) -> RequestID? {
        let isGivenUp = self.isGivenUp(at: now)
        let overdue = flights.first { _, flight in
            guard !flight.isAbandoned else { return false }
            return isGivenUp || flight.timeoutAt <= now || isEnding && flight.call == .receive
        }
        guard let id = overdue?.key else { return nil }
        flights[id]?.isAbandoned = true
        return id
    }

    /// Reports a token, and how long it lives in seconds.
    package mutating func tokenArrived(_ id: RequestID, lifetime: Int, at now: Instant) {
        guard let flight = end(id) else { return }
        reachability.reached()
        queues[flight.queue].tokenArrived(lifetime: lifetime, at: now)
    }

    /// Reports messages; none if the queue has none.
    package mutating func received(_ id: RequestID, _ messages: [QueueMessage], at now: Instant) {
        guard let flight = end(id) else { return }
        reachability.reached()
        queues[flight.queue].received(messages.count, askedAt: flight.askedAt, at: now)
        let name = queues[flight.queue].name
        isTold.remove(Self.key(name, .receive))
        var handles: [String] = []
        for message in messages {
            if take(message, of: name.type, at: now) {
                handles.append(message.handle)
            } else {
                tally.unreadableMessages += 1
                tell(.unreadableMessage(name, id: message.id), once: "message \(name.text)")
            }
        }
        if !handles.isEmpty { deliver(to: .messages(queue: flight.queue, handles: handles)) }
    }

    private mutating func take(_ message: QueueMessage, of type: ReceiptType, at now: Instant) -> Bool {
        guard let body = message.body,
            let receipt = try? Receipt(body.span, in: 0..<body.count, type: type)
        else { return false }
        add(receipt, body.span, at: now)
        return true
    }

    /// Reports that messages were deleted, or had come back to the queue before.
    package mutating func deleted(_ id: RequestID, at now: Instant) {
        guard let flight = end(id) else { return }
        if case .delete(let handles) = flight.call { tally.deleted += handles.count }
        queues[flight.queue].deleted()
        isTold.remove(Self.key(queues[flight.queue].name, flight.call))
    }

    /// Reports that the queue does not take its token.
    package mutating func tokenRefused(_ id: RequestID, code: String, at now: Instant) {
        guard let flight = end(id) else { return }
        reachability.reached()
        queues[flight.queue].tokenRefused(flight.call, at: now, using: &generator)
        tellIfFailing(flight, "it answers \(code)")
    }

    /// Reports a refusal that trying again does not help.
    package mutating func refused(_ id: RequestID, _ stop: StopReason, at now: Instant) {
        guard let flight = end(id) else { return }
        queues[flight.queue].abandoned(flight.call)
        self.stop(stop, at: now)
    }

    /// Reports an answer that is of no use: a refusal that may pass, or one that cannot be read.
    package mutating func failed(_ id: RequestID, _ why: String, at now: Instant) {
        guard let flight = end(id) else { return }
        reachability.reached()
        fail(flight, why, at: now)
    }

    /// Reports that a request did not leave.
    package mutating func notSent(_ id: RequestID, _ reason: NotSentReason, at now: Instant) {
        guard let flight = end(id) else { return }
        guard !reachability.isReached else { return fail(flight, reason.text, at: now) }
        queues[flight.queue].failed(flight.call, at: now, using: &generator)
        if case .certificate = reason { return stop(.unreachable(reason), at: now) }
        reachability.failed(reason, startedAt: flight.askedAt)
    }

    /// Reports that a request got no answer.
    package mutating func unanswered(_ id: RequestID, _ doubt: Doubt, at now: Instant) {
        guard let flight = end(id) else { return }
        fail(flight, doubt.text, at: now)
    }

    private mutating func end(_ id: RequestID) -> Flight? {
        flights.removeValue(forKey: id)
    }

    private mutating func fail(_ flight: Flight, _ why: String, at now: Instant) {
        // What the end has cut short says nothing of the queue.
        if isEnding, flight.isAbandoned { return queues[flight.queue].abandoned(flight.call) }
        queues[flight.queue].failed(flight.call, at: now, using: &generator)
        tellIfFailing(flight, why)
    }

    private mutating func tellIfFailing(_ flight: Flight, _ why: String) {
        let queue = queues[flight.queue]
        guard queue.isFailing(flight.call) else { return }
        tell(.failing(queue.name, why: why), once: Self.key(queue.name, flight.call))
    }

    /// What is told once for a kind of request to a queue.
    private static func key(_ queue: QueueName, _ call: Call) -> String {
        if case .delete = call { "delete \(queue.text)" } else { queue.text }
    }
}
