// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// The journal of a run: what the runs before have recorded, and what this one records.
///
/// Records are handed out in groups; what they stand for happens once their group is on stable storage. Only one group is
/// under way at a time, and all that comes up meanwhile shares the next.
package struct Journal: Sendable {
    /// What waits until its record is on stable storage.
    enum Event: Sendable {
        /// A request that may leave then.
        case intent(BatchTable.Index)
        /// Messages that may be answered then.
        case conclusion(BatchTable.Index, Response)
    }

    /// The answer that was replayed last: neighbours often share it.
    struct Replay: Sendable {
        var batch: RecordedBatches.Index
        var response: Response
        var lineEnd: [UInt8]
    }

    /// Whether there is a journal.
    let isKept: Bool
    /// Whether writing or syncing has failed; nothing is recorded any more.
    private(set) var isFailed = false
    /// The requests that the runs before have recorded, and those of this run with messages that have an `Id`.
    var batches: RecordedBatches
    /// The time of the run's clock at its origin, in nanoseconds since 1970.
    private let origin: Int64

    private var records: [JournalRecord] = []
    private var waiting: [Event] = []
    private var waitingForSync: [Event] = []
    private var isSyncing = false
    /// How many groups are on stable storage.
    private(set) var syncedGroups = 0
    /// The number of the group that the next record goes with.
    var nextGroup: Int { syncedGroups + (isSyncing ? 2 : 1) }
    /// The batches whose intent is on stable storage, until they leave.
    var intended: Deque<BatchTable.Index> = []
    /// The batches under way that an earlier run has left open.
    var recovered: [RecordedBatches.Index: BatchTable.Index] = [:]
    /// The messages of the run that have an `Id`.
    var messagesWithID = MessagesWithID()
    var lastReplay: Replay?

    /// No journal.
    static let none = Journal(isKept: false, batches: RecordedBatches(), origin: 0)

    /// Creates the journal of a run.
    ///
    /// - Parameters:
    ///   - index: What the journal says already.
    ///   - origin: The time of the run's clock at its origin, in nanoseconds since 1970.
    package init(_ index: JournalIndex, origin: Int64) {
        self.init(isKept: true, batches: index.batches, origin: origin)
    }

    private init(isKept: Bool, batches: RecordedBatches, origin: Int64) {
        self.isKept = isKept
        self.batches = batches
        self.origin = origin
    }

    /// Whether nothing waits for stable storage, or to leave.
    var isIdle: Bool { records.isEmpty && waiting.isEmpty && !isSyncing && intended.isEmpty }

    /// A moment in milliseconds since 1970.
    func time(_ now: Instant) -> Int64 { (origin + now.nanoseconds) / 1_000_000 }

    /// The moment of a time in milliseconds since 1970.
    ///
    /// Centuries ahead, where there is no instant, it is the last one.
    func instant(_ time: Int64) -> Instant {
        let (nanoseconds, isBeyond) = time.multipliedReportingOverflow(by: 1_000_000)
        return Instant(nanoseconds: isBeyond ? .max : nanoseconds - origin)
    }

    /// Adds a record to the next group.
    mutating func record(_ record: JournalRecord) {
        records.append(record)
    }

    /// Sees to an event once all records made so far are on stable storage.
    ///
    /// - Returns: Whether it has to wait; else it may happen now.
    mutating func wait(_ event: Event) -> Bool {
        if !records.isEmpty {
            waiting.append(event)
        } else if isSyncing {
            waitingForSync.append(event)
        } else {
            return false
        }
        return true
    }

    /// Hands out the next group, unless one is under way.
    mutating func takeGroup(at now: Instant) -> JournalGroup? {
        guard !isSyncing, !records.isEmpty else { return nil }
        let group = JournalGroup(records: records, time: time(now))
        records = []
        swap(&waiting, &waitingForSync)
        isSyncing = true
        return group
    }

    /// Notes that the group under way is on stable storage.
    ///
    /// - Returns: What may happen now.
    mutating func groupSynced() -> [Event] {
        precondition(isSyncing, "no group is under way")
        isSyncing = false
        syncedGroups += 1
        defer { waitingForSync.removeAll(keepingCapacity: true) }
        return waitingForSync
    }

    /// Notes that writing or syncing has failed.
    ///
    /// - Returns: What will never be on record, as far as anybody knows.
    mutating func fail() -> [Event] {
        let events = waitingForSync + waiting
        isFailed = true
        isSyncing = false
        records = []
        waiting = []
        waitingForSync = []
        return events
    }
}
