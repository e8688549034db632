// SPDX-License-Identifier: Apache-2.0

/// A queue of receipts as MNS has them: received messages come back unless they are deleted in time.
///
/// Source: api 5.2.
struct ReceiptQueue: Sendable {
    /// A message of the queue.
    struct Entry: Sendable {
        var id: String
        var body: [UInt8]
        var handle: String
        var enqueueTime: WallTime
        var firstDequeueTime: WallTime
        var nextVisibleTime: WallTime
        var dequeueCount = 0
    }

    /// The most messages that are kept; the oldest go first.
    static let maximumCount = 100_000
    /// How long a received message stays hidden.
    ///
    /// Source: MNS, default VisibilityTimeout.
    static let visibilityTime = Duration.seconds(30)

    private var entries: [Entry] = []
    private let timeScale: Double

    /// Creates an empty queue.
    ///
    /// - Parameter timeScale: By what the visibility time is multiplied.
    init(timeScale: Double) {
        self.timeScale = timeScale
    }

    /// Adds receipts.
    mutating func add(_ receipts: [Receipt], at now: WallTime, using generator: inout some RandomNumberGenerator) {
        for receipt in receipts {
            entries.append(
                Entry(
                    id: generator.nextRequestID().filter { $0 != "-" },
                    body: Base64.encode(receipt.json),
                    handle: "",
                    enqueueTime: now,
                    firstDequeueTime: now,
                    nextVisibleTime: now,
                )
            )
        }
        if entries.count > Self.maximumCount { entries.removeFirst(entries.count - Self.maximumCount) }
    }

    /// Receives messages and hides them for a while.
    mutating func receive(
        _ count: Int,
        at now: WallTime,
        using generator: inout some RandomNumberGenerator,
    ) -> [Entry] {
        var received: [Entry] = []
        for index in entries.indices where entries[index].nextVisibleTime <= now {
            guard received.count < count else { break }
            if entries[index].dequeueCount == 0 { entries[index].firstDequeueTime = now }
            entries[index].dequeueCount += 1
            entries[index].nextVisibleTime = now + Self.visibilityTime * timeScale
            entries[index].handle = "1-\(generator.nextRequestID())"
            received.append(entries[index])
        }
        return received
    }

    /// Deletes received messages.
    ///
    /// - Returns: The handles that are not, or no longer, those of a received message.
    mutating func delete(_ handles: [String], at now: WallTime) -> [String] {
        handles.filter { handle in
            let index = entries.firstIndex { $0.handle == handle && !handle.isEmpty && $0.nextVisibleTime > now }
            guard let index else { return true }
            entries.remove(at: index)
            return false
        }
    }
}
