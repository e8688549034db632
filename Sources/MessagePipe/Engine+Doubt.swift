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
        // From now on it is its look-ups that may be refused for their time stamps.
        batches[index].isSignedAnew = false
        lookUpLater(index, at: now)
    }

    /// Notes that a look-up has not found its batch, or has told nothing.
    mutating func lookUpFailed(_ id: RequestID, at now: Instant) {
        lookUpLater(take(id, expecting: .inLookUp), at: now)
    }

    /// Plans the next look-up of a batch in doubt, or answers its messages.
    mutating func lookUpLater(_ index: BatchTable.Index, at now: Instant) {
        let (since, lookUps) = (batches[index].doubtSince, batches[index].lookUps)
        guard lookUps < Self.lookUpTimes.count else {
            settleDoubt(index)
            return
        }
        let at = max(since.advanced(by: Self.lookUpTimes[lookUps]), now)
        guard at <= since.advanced(by: configuration.confirm) else {
            settleDoubt(index)
            return
        }
        lookUp(index, at: at)
    }

    /// Has a look-up that was refused for its time stamp or token go once more, whenever that is; then it has failed.
    mutating func lookUpAnew(_ id: RequestID, at now: Instant) {
        let index = take(id, expecting: .inLookUp)
        guard !batches[index].isSignedAnew else {
            lookUpLater(index, at: now)
            return
        }
        batches[index].isSignedAnew = true
        batches[index].lookUps -= 1
        lookUp(index, at: now)
    }

    private mutating func lookUp(_ index: BatchTable.Index, at instant: Instant) {
        guard !isGivenUp, !responses.discards, !journal.isFailed, !isAmbiguous(index) else {
            settleDoubt(index)
            return
        }
        batches[index].phase = .confirming
        dispatcher.doubt(index, lookUpAt: instant, batches)
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

    /// Whether a look-up could take another message's record for one of a batch.
    func isAmbiguous(_ index: BatchTable.Index) -> Bool {
        guard !batches[index].key.outID.isEmpty else { return false }
        // The lines of others that an earlier run has sent may come much later: nobody can tell now whether there are any.
        return batches[index].isRecovered || ownOutIDs.hasAnother(like: batches[index])
    }
}
