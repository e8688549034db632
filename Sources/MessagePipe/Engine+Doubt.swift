// SPDX-License-Identifier: Apache-2.0

/// What may have been sent: when it is looked up, and what a look-up can tell.
extension Engine {
    // MARK: - Look-ups

    /// When a batch in doubt is looked up, counted from when the doubt began; the contract's times.
    static let lookUpTimes: [Duration] = [.seconds(2), .seconds(5), .seconds(10), .seconds(20)]

    /// How long a look-up that is due may wait for its turn.
    static let lookUpPatience: Duration = .seconds(1)

    /// Notes that nobody can tell whether a batch was taken, and plans its look-up.
    mutating func doubt(_ index: BatchTable.Index, _ doubt: Doubt, at now: Instant) {
        batches[index].doubt = doubt
        batches[index].doubtSince = now
        lookUpLater(index, at: now)
    }

    /// Notes that a look-up has not found its batch, or has told nothing.
    mutating func lookUpFailed(_ id: RequestID, at now: Instant) {
        lookUpLater(take(id, expecting: .inLookUp), at: now)
    }

    /// Plans the next look-up of a batch in doubt, or answers its messages.
    mutating func lookUpLater(_ index: BatchTable.Index, at now: Instant) {
        let (since, lookUps) = (batches[index].doubtSince, batches[index].lookUps)
        let isAwaited = !isGivenUp && !responses.discards && !journal.isFailed && !batches[index].isAmbiguous
        guard isAwaited, lookUps < Self.lookUpTimes.count else {
            settleDoubt(index)
            return
        }
        let at = max(since.advanced(by: Self.lookUpTimes[lookUps]), now)
        guard at <= since.advanced(by: configuration.confirm) else {
            settleDoubt(index)
            return
        }
        batches[index].phase = .confirming
        dispatcher.doubt(index, lookUpAt: at, batches)
    }

    /// Answers a batch that was in doubt: it was found, or may have been sent.
    mutating func settleDoubt(_ index: BatchTable.Index, isFound: Bool = false) {
        let why = batches[index].doubt?.text ?? "no answer came"
        settle(
            index,
            Response(
                isFound ? .accepted : .unknown,
                code: isFound ? "OK" : "smspipe.UNCONFIRMED",
                message: isFound
                    ? "Found by look-up; \(why)."
                    : "It may have been sent: \(why). Look at its receipt before sending it again.",
                requestID: batches[index].doubtfulRequestID,
                sendDate: batches[index].sendDate,
            )
        )
    }

    // MARK: - OutIds of the messages' own

    /// Notes that a batch with an OutId of its messages' own has left, and which look-ups cannot be relied on now.
    mutating func noteDeparture(_ index: BatchTable.Index, at instant: Instant) {
        let hash = batches[index].key.textsHash
        for place in 0..<batches[index].count {
            noteDeparture(hash, batches[index].item(place).phoneKey, in: index, at: instant)
        }
    }

    /// Notes that a message with an OutId of its own has left.
    ///
    /// - Parameters:
    ///   - textsHash: Stands for its OutId and template.
    ///   - phoneKey: Stands for its number.
    ///   - index: Its batch; `nil` if it left in an earlier run, and is answered.
    ///   - instant: When it left.
    mutating func noteDeparture(
        _ textsHash: UInt64,
        _ phoneKey: UInt64,
        in index: BatchTable.Index?,
        at instant: Instant,
    ) {
        guard configuration.confirm > .zero else { return }
        let batch = index.map { OwnOutIDs.BatchReference(index: $0, serial: batches[$0].serial) }
        let hash = OwnOutIDs.hash(textsHash, phoneKey: phoneKey)
        for other in ownOutIDs.left(hash, in: batch, at: instant) where batches[other.index].serial == other.serial {
            batches[other.index].isAmbiguous = true
        }
    }

    /// Notes that nothing of a batch was taken, for certain.
    mutating func noteNotTaken(_ index: BatchTable.Index) {
        guard !batches[index].key.outID.isEmpty else { return }
        let hash = batches[index].key.textsHash
        let batch = OwnOutIDs.BatchReference(index: index, serial: batches[index].serial)
        for place in 0..<batches[index].count {
            ownOutIDs.notTaken(OwnOutIDs.hash(hash, phoneKey: batches[index].item(place).phoneKey), in: batch)
        }
    }
}
