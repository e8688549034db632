// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// The requests with an OutId of their messages' own that have left: which records a look-up could take for those of another.
///
/// Our BatchId names one request. An OutId that messages bring may be that of others too, and the service's records say no more
/// than OutId, template, number and time. So where the same number got two messages of one OutId and template within a while, a
/// record may be of either: whoever is looked for among them cannot be found.
///
/// A request is noted in one step when it leaves; who could be meant is searched for only when a look-up has to be believed.
struct OwnOutIDs {
    private struct Departure {
        /// Stands for OutId and template.
        var textsHash: UInt64
        /// The batch; 0 for one that an earlier run has sent, or that was not taken.
        var serial: UInt64
        var at: Instant
        var messageCount: UInt32
        var isTaken = true
    }

    /// How many requests, and messages, are remembered; what is forgotten is taken for a message to the same number.
    ///
    /// Those of 15 seconds at 4,000 requests and 35,000 messages a second, in a few mebibytes.
    private static let maximumRequests = 65_536
    private static let maximumMessages = 524_288

    /// How long after a request has left its record may get its time, and by how much times may differ.
    let slack: Duration
    private var departures: Deque<Departure> = []
    /// What stands for the numbers of their messages, request after request.
    private var numbers: Deque<UInt32> = []
    /// When the last one left that is not remembered any more.
    private var forgottenUntil: Instant?

    /// - Parameter timeout: How long an answer is awaited.
    init(timeout: Duration) {
        // The gateway's stamp is cut to a second, and a look-up grants two.
        slack = timeout + .seconds(5)
    }

    /// Notes that a batch has left.
    mutating func left(_ batch: borrowing Batch) {
        for place in 0..<batch.count { numbers.append(Self.hash(batch.item(place).phoneKey)) }
        append(
            Departure(
                textsHash: batch.key.textsHash,
                serial: batch.serial,
                at: batch.sentAt,
                messageCount: UInt32(batch.count),
            )
        )
    }

    /// Notes that a message has left in an earlier run, if that is so short ago that it matters.
    mutating func left(_ key: borrowing BatchKey, phoneKey: UInt64, at instant: Instant, now: Instant) {
        guard now <= instant.advanced(by: slack) else { return }
        numbers.append(Self.hash(phoneKey))
        append(Departure(textsHash: key.textsHash, serial: 0, at: instant, messageCount: 1))
    }

    /// Notes that nothing of the batch was taken when it left last, for certain.
    mutating func notTaken(_ batch: borrowing Batch) {
        // It is among the last ones, as it was in flight.
        guard !batch.key.outID.isEmpty else { return }
        guard let index = departures.lastIndex(where: { $0.serial == batch.serial }) else { return }
        departures[index].isTaken = false
    }

    /// Whether a record of another message could be taken for one of a batch.
    ///
    /// - Complexity: O(*n*) in what is remembered.
    func hasAnother(like batch: borrowing Batch) -> Bool {
        let from = batch.sentAt.advanced(by: .zero - slack)
        if let forgottenUntil, forgottenUntil >= from { return true }
        let textsHash = batch.key.textsHash
        var own: Set<UInt32> = []
        for place in 0..<batch.count { own.insert(Self.hash(batch.item(place).phoneKey)) }
        var start = 0
        for departure in departures {
            let end = start + Int(departure.messageCount)
            if departure.textsHash == textsHash, departure.isTaken, departure.serial != batch.serial,
                departure.at >= from, numbers[start..<end].contains(where: own.contains)
            {
                return true
            }
            start = end
        }
        return false
    }

    private mutating func append(_ departure: Departure) {
        departures.append(departure)
        while departures.count > Self.maximumRequests || numbers.count > Self.maximumMessages {
            let forgotten = departures.removeFirst()
            numbers.removeFirst(Int(forgotten.messageCount))
            if forgotten.isTaken { forgottenUntil = max(forgottenUntil ?? forgotten.at, forgotten.at) }
        }
    }

    /// Two numbers that are equal by chance only lose a look-up.
    private static func hash(_ phoneKey: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: (phoneKey &* 0x9E37_79B9_7F4A_7C15) &>> 32)
    }
}
