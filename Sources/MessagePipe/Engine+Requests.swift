// SPDX-License-Identifier: Apache-2.0

/// Which requests leave, which are given up, and what they hold.
extension Engine {
    /// The next request that is to go to the gateway now; `nil` if none may.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - sendDate: Today in China, `yyyyMMdd`.
    /// - Returns: The request, which counts as in flight from now on.
    package mutating func nextRequest(at now: Instant, sendDate: UInt32) -> Request? {
        // What has become due since the last deadline would be handed out below.
        guard !configuration.isDryRun else {
            planDue(at: now)
            return nil
        }
        while let index = dispatcher.nextLookUp() {
            let end = batches[index].doubtSince.advanced(by: configuration.confirm + Self.lookUpPatience)
            guard now <= end, !isAmbiguous(index) else {
                settleDoubt(index)
                continue
            }
            batches[index].phase = .inLookUp
            batches[index].lookUps += 1
            tally.lookUps += 1
            return start(index, .lookUp, at: now)
        }
        resizeWindow(at: now)
        endSendingIfTooLate(at: now)
        if journal.isKept { return nextRecordedRequest(at: now, sendDate: sendDate) }
        guard mayStart, let index = nextBatch(at: now) else { return nil }
        return leave(index, at: now, sendDate: sendDate)
    }

    /// Lets a batch go to the gateway.
    mutating func leave(_ index: BatchTable.Index, at now: Instant, sendDate: UInt32) -> Request {
        batches[index].phase = .inFlight
        batches[index].attempts += 1
        batches[index].sentAt = now
        batches[index].sendDate = sendDate
        if !batches[index].key.outID.isEmpty { ownOutIDs.left(batches[index]) }
        tally.requests += 1
        return start(index, batches[index].isUrgent ? .sendSingle : .sendBatch, at: now)
    }

    private mutating func start(_ index: BatchTable.Index, _ call: Request.Call, at now: Instant) -> Request {
        batches[index].timeoutAt = now.advanced(by: configuration.timeout)
        let id = dispatcher.started(index, timeoutAt: batches[index].timeoutAt, isLookUp: call == .lookUp)
        batches[index].request = id.number
        tally.inFlight = dispatcher.inFlightCount
        return Request(id: id, call: call)
    }

    /// Lets a request leave that has waited for its connection, unless sending has stopped or its deadline has passed meanwhile.
    ///
    /// The time for its answer begins anew: a connection may take as long.
    ///
    /// - Parameters:
    ///   - id: The request.
    ///   - now: The time.
    ///   - sendDate: Today in China, `yyyyMMdd`; midnight may have passed meanwhile.
    /// - Returns: Whether it leaves; if not, it is to be reported as ``notSent(_:_:at:)``.
    package mutating func leaves(_ id: RequestID, at now: Instant, sendDate: UInt32) -> Bool {
        if batches[id.batch].phase == .inFlight {
            guard mayStart, expiry(of: id.batch) > now else { return false }
            batches[id.batch].sentAt = now
            batches[id.batch].sendDate = sendDate
            if !batches[id.batch].key.outID.isEmpty {
                ownOutIDs.notTaken(batches[id.batch])
                ownOutIDs.left(batches[id.batch])
            }
        }
        batches[id.batch].timeoutAt = now.advanced(by: configuration.timeout)
        dispatcher.restarted(id, timeoutAt: batches[id.batch].timeoutAt)
        return true
    }

    /// A request that is to be given up, because its answer is overdue or nobody waits any more.
    ///
    /// The one report about it is still due: not sent, unknown, or the answer if that has come meanwhile.
    package mutating func nextAbandoned(at now: Instant) -> RequestID? {
        while let id = dispatcher.nextAbandoned() {
            if isOverdue(id, at: now) { return id }
        }
        return nil
    }

    /// Whether a request is with the gateway still, and not waited for any more.
    package func isOverdue(_ id: RequestID, at now: Instant) -> Bool {
        dispatcher.isPending(id, batches) && (isGivenUp || batches[id.batch].timeoutAt <= now)
    }

    /// What the messages of a request have in common.
    package func head(of id: RequestID) -> RequestHead {
        let key = batches[id.batch].key
        return RequestHead(
            templateCode: Array(key.templateCode),
            outID: outID(id.batch),
            hasParameters: key.traits.contains(.hasParameters),
            hasExtensionCode: key.traits.contains(.hasExtensionCode),
            count: batches[id.batch].count,
        )
    }

    /// Calls a function with each message of a request, in the request's order.
    package func forEachMessage(of id: RequestID, _ body: (Message, Chunk) -> Void) {
        for place in 0..<batches[id.batch].count {
            let slot = batches[id.batch].item(place).slot
            let message = messages[slot]
            messages.withChunk(of: slot) { body(message, $0) }
        }
    }

    /// What a look-up is to ask; each further look-up asks for another number of the batch.
    package func lookUp(of id: RequestID, at now: Instant) -> LookUp {
        let lookUps = batches[id.batch].lookUps
        let item = batches[id.batch].item((lookUps - 1) % batches[id.batch].count)
        let key = batches[id.batch].key
        return LookUp(
            phoneNumber: Array(String(item.phoneKey).utf8),
            sendDate: batches[id.batch].sendDate,
            outID: outID(id.batch),
            templateCode: Array(key.templateCode),
            isOwnOutID: !key.outID.isEmpty,
            secondsSinceSent: batches[id.batch].sentAt.duration(to: now).components.seconds,
            secondsUntilTaken: ownOutIDs.slack.components.seconds,
            attempt: lookUps,
        )
    }

    private func outID(_ index: BatchTable.Index) -> [UInt8] {
        let own = batches[index].key.outID
        return own.isEmpty ? batchIDText(index) : Array(own)
    }
}
