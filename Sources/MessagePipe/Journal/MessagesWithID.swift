// SPDX-License-Identifier: Apache-2.0

/// What became of the messages of the run that have an `Id`, so that one that comes again gets the same answer.
///
/// Four bytes for each identity of the journal, once there is an `Id` at all.
struct MessagesWithID: Sendable {
    /// Stands for a message that is not answered yet.
    private static let underWay = RecordedBatches.none - 1

    /// The request that each message was last in, by the place of its `Id`.
    private var batches: [RecordedBatches.Index] = []
    /// Those that came again while the first was under way, by the place of their `Id`.
    private var repeated: [IdentityTable.Place: [MessageTable.Slot]] = [:]

    /// Whether the run has no such messages.
    var isEmpty: Bool { batches.isEmpty }

    /// Whether a message with an `Id` is not answered yet.
    func isUnderWay(_ place: IdentityTable.Place) -> Bool {
        place < batches.count && batches[Int(place)] == Self.underWay
    }

    /// The request that a message was last in; ``RecordedBatches/none`` if this run has recorded none.
    func batch(_ place: IdentityTable.Place) -> RecordedBatches.Index {
        place < batches.count ? batches[Int(place)] : RecordedBatches.none
    }

    /// Notes that a message is under way.
    mutating func begin(_ place: IdentityTable.Place) {
        while batches.count <= place { batches.append(RecordedBatches.none) }
        batches[Int(place)] = Self.underWay
    }

    /// Notes that a message came again while it is under way.
    mutating func `repeat`(_ place: IdentityTable.Place, _ slot: MessageTable.Slot) {
        repeated[place, default: []].append(slot)
    }

    /// Notes that a message is answered.
    ///
    /// - Parameters:
    ///   - place: The place of its `Id`.
    ///   - batch: The request that it was in; `nil` if none was recorded.
    /// - Returns: The messages with its `Id` that came meanwhile.
    mutating func end(_ place: IdentityTable.Place, in batch: RecordedBatches.Index?) -> [MessageTable.Slot] {
        guard isUnderWay(place) else { return [] }
        batches[Int(place)] = batch ?? RecordedBatches.none
        return repeated.isEmpty ? [] : repeated.removeValue(forKey: place) ?? []
    }
}
