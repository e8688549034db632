// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// The messages with an OutId of their own that have left: which of them a look-up could take for another.
///
/// Our BatchId names one request. An OutId that messages bring may be that of others too, and the service's records say no more
/// than OutId, template, number and time. So where the same number got two messages of one OutId and template within a while, a
/// record may be of either: whoever is looked for among them cannot be found.
struct OwnOutIDs {
    /// A batch, as long as its record in the table has its serial.
    struct BatchReference: Equatable {
        var index: BatchTable.Index
        var serial: UInt64
    }

    private struct Departure {
        /// The batch that left last; `nil` if it left in an earlier run, and is answered.
        var batch: BatchReference?
        var at: Instant
        /// When the last one of another batch left before it.
        var before: Instant?
    }

    /// How many messages are remembered; those before are taken for the same number.
    ///
    /// A few mebibytes, once there is an OutId at all; enough for what 4,000 messages a second have within 15 seconds.
    static let maximumCount = 65_536

    /// How long after a request has left its record may get its time, and by how much times may differ.
    private let slack: Duration
    /// When messages of an OutId, template and number left last, by the hash of these.
    private var departures: [UInt64: Departure] = [:]
    private var byAge: Deque<UInt64> = []
    /// When the last one left that is not remembered any more.
    private var forgottenUntil: Instant?

    /// - Parameter timeout: How long an answer is awaited.
    init(timeout: Duration) {
        // The gateway's stamp is cut to a second, and a look-up grants two.
        slack = timeout + .seconds(5)
    }

    /// Notes that a message has left.
    ///
    /// - Parameters:
    ///   - hash: Stands for its OutId, template and number: two that are equal by chance only lose a look-up.
    ///   - batch: Its batch; `nil` if it left in an earlier run, and is answered.
    ///   - instant: When it left.
    /// - Returns: The batches that cannot be told from another by a look-up now, this one or others.
    mutating func left(_ hash: UInt64, in batch: BatchReference?, at instant: Instant) -> [BatchReference] {
        var ambiguous: [BatchReference] = []
        if let last = departures[hash] {
            if let batch, last.batch == batch {
                departures[hash]?.at = instant
                return []
            }
            // A record is taken for that of a request which left before it, and for none that left later.
            if let other = last.batch, last.at <= instant.advanced(by: slack) { ambiguous.append(other) }
            if let batch, instant <= last.at.advanced(by: slack) { ambiguous.append(batch) }
            // What the journal answers may have left before what is known already.
            if instant >= last.at { departures[hash] = Departure(batch: batch, at: instant, before: last.at) }
        } else {
            departures[hash] = Departure(batch: batch, at: instant)
            byAge.append(hash)
            if byAge.count > Self.maximumCount, let forgotten = forgetOldest() { ambiguous.append(forgotten) }
        }
        if let batch, let forgottenUntil, instant <= forgottenUntil.advanced(by: slack) { ambiguous.append(batch) }
        return ambiguous
    }

    /// Notes that a message was certainly not taken, so that it has no record.
    mutating func notTaken(_ hash: UInt64, in batch: BatchReference) {
        guard let last = departures[hash], last.batch == batch else { return }
        // The place among those that are remembered stays; a time long ago is nobody's.
        departures[hash] = Departure(batch: nil, at: last.before ?? Instant(nanoseconds: .min / 2))
    }

    /// The hash of an OutId, template and number.
    ///
    /// - Parameters:
    ///   - texts: The hash of OutId and template.
    ///   - phoneKey: Stands for the number.
    /// - Returns: The hash of all three.
    @inline(__always)
    static func hash(_ texts: UInt64, phoneKey: UInt64) -> UInt64 {
        let product = (texts ^ phoneKey).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return product.high ^ product.low
    }

    /// - Returns: The batch that others cannot be told from any more.
    private mutating func forgetOldest() -> BatchReference? {
        guard let hash = byAge.popFirst(), let departure = departures.removeValue(forKey: hash) else { return nil }
        forgottenUntil = max(forgottenUntil ?? departure.at, departure.at)
        return departure.batch
    }
}
