// SPDX-License-Identifier: Apache-2.0

/// Remembers which receipts have come, each for a day at least.
///
/// In two generations, each of a day: the older one is forgotten as a whole. The platform repeats a push for ten minutes, or in
/// its older edition for five hours, and a queue until its message is deleted.
struct ReceiptMemory {
    /// How long a receipt is remembered at least.
    static let span = Duration.seconds(86_400)

    private let maximumCount: Int
    private var newer: Set<Digest96> = []
    private var older: Set<Digest96> = []
    private var began: Instant?
    /// Whether receipts were forgotten before their day was over.
    private(set) var hasForgottenEarly = false

    /// - Parameter maximumCount: How many are remembered at most; some 40 bytes each.
    init(maximumCount: Int) {
        self.maximumCount = maximumCount
    }

    /// Notes a receipt.
    ///
    /// - Returns: Whether it is new.
    mutating func insert(_ digest: Digest96, at now: Instant) -> Bool {
        if let began, began.duration(to: now) < Self.span {
            if newer.count >= max(1, maximumCount / 2) {
                if !older.isEmpty || maximumCount < 2 { hasForgottenEarly = true }
                begin(at: now)
            }
        } else {
            begin(at: now)
        }
        guard !older.contains(digest) else { return false }
        return newer.insert(digest).inserted
    }

    private mutating func begin(at now: Instant) {
        // What came two days ago is of no use any more, even if nothing came since.
        let isOlderOfUse = began.map { $0.duration(to: now) < Self.span * 2 } ?? false
        older = isOlderOfUse ? newer : []
        newer = []
        began = now
    }
}
