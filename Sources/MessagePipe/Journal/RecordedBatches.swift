// SPDX-License-Identifier: Apache-2.0

/// The requests that a journal knows, and what became of them.
///
/// What the answers of many requests have in common is kept once: a request takes some 50 bytes and the texts of its ids.
struct RecordedBatches: Sendable {
    /// Where a request stands.
    typealias Index = UInt32
    /// Stands for no request.
    static let none = Index.max

    /// What the journal says of a request.
    enum State: UInt8 {
        /// It may have left.
        case intended
        /// It was not taken.
        case withdrawn
        /// It has its result.
        case answered
    }

    struct Entry {
        /// The part of the BatchId before its number, by its place among all of them.
        var run: UInt32
        var serial: UInt64
        /// When it was intended, in milliseconds since 1970.
        var time: Int64
        var sendDate: UInt32
        var state = State.intended
        /// The place of outcome, code and message among all of them.
        var verdict: UInt32 = 0
        var ids = 0
        var bizIDCount: UInt16 = 0
        var requestIDCount: UInt16 = 0
    }

    private struct Verdict: Hashable {
        let outcome: Outcome
        // Two Strings can be equal and have different bytes.
        let code: [UInt8]
        let message: [UInt8]
    }

    /// Stands for an id that is `null`.
    private static let noID = UInt16.max

    private var entries: [Entry] = []
    private var runs: [String] = []
    private var verdicts: [Verdict] = []
    private var verdictPlaces: [Verdict: UInt32] = [:]
    /// The texts of BizIds and RequestIds.
    private var texts: [UInt8] = []

    subscript(index: Index) -> Entry { entries[Int(index)] }

    var count: Int { entries.count }

    /// Adds a request that may leave.
    mutating func add(_ batchID: String, sendDate: UInt32, time: Int64) -> Index {
        let (run, serial) = Self.split(batchID)
        if runs.last != run, let place = runs.firstIndex(of: run) {
            entries.append(Entry(run: UInt32(place), serial: serial, time: time, sendDate: sendDate))
        } else {
            if runs.last != run { runs.append(run) }
            entries.append(Entry(run: UInt32(runs.count - 1), serial: serial, time: time, sendDate: sendDate))
        }
        return Index(entries.count - 1)
    }

    /// Notes that a request may leave again.
    mutating func intend(_ index: Index, sendDate: UInt32, time: Int64) {
        entries[Int(index)].state = .intended
        entries[Int(index)].sendDate = sendDate
        entries[Int(index)].time = time
    }

    /// Notes that a request was not taken.
    mutating func withdraw(_ index: Index) {
        entries[Int(index)].state = .withdrawn
    }

    /// Notes what became of a request.
    mutating func answer(_ index: Index, _ response: Response) {
        let verdict = Verdict(
            outcome: response.outcome,
            code: Array(response.code.utf8),
            message: Array(response.message.utf8),
        )
        let place: UInt32
        if let known = verdictPlaces[verdict] {
            place = known
        } else {
            place = UInt32(verdicts.count)
            verdicts.append(verdict)
            verdictPlaces[verdict] = place
        }
        entries[Int(index)].state = .answered
        entries[Int(index)].verdict = place
        entries[Int(index)].sendDate = response.sendDate
        entries[Int(index)].ids = texts.count
        entries[Int(index)].bizIDCount = keep(response.bizID)
        entries[Int(index)].requestIDCount = keep(response.requestID)
    }

    /// Our id of a request.
    func batchID(_ index: Index) -> String {
        let entry = entries[Int(index)]
        let run = runs[Int(entry.run)]
        return entry.serial == 0 ? run : "\(run)-\(entry.serial)"
    }

    /// What became of a request that has its result.
    func response(_ index: Index) -> Response {
        let entry = entries[Int(index)]
        precondition(entry.state == .answered, "a request in state \(entry.state) has no response")
        let verdict = verdicts[Int(entry.verdict)]
        let bizIDEnd = entry.ids + (entry.bizIDCount == Self.noID ? 0 : Int(entry.bizIDCount))
        return Response(
            verdict.outcome,
            code: String(decoding: verdict.code, as: UTF8.self),
            message: String(decoding: verdict.message, as: UTF8.self),
            bizID: text(entry.ids, entry.bizIDCount),
            requestID: text(bizIDEnd, entry.requestIDCount),
            batchID: batchID(index),
            sendDate: entry.sendDate,
        )
    }

    private mutating func keep(_ id: String?) -> UInt16 {
        guard let id, id.utf8.count < Int(Self.noID) else { return Self.noID }
        texts.append(contentsOf: id.utf8)
        return UInt16(id.utf8.count)
    }

    private func text(_ start: Int, _ count: UInt16) -> String? {
        guard count != Self.noID else { return nil }
        return String(decoding: texts[start..<(start + Int(count))], as: UTF8.self)
    }

    /// The run and the number in a BatchId; one that is not made as ours are is a run without a number.
    private static func split(_ batchID: String) -> (run: String, serial: UInt64) {
        guard let dash = batchID.utf8.lastIndex(of: UInt8(ascii: "-")),
            let serial = UInt64(batchID[batchID.index(after: dash)...]), serial > 0,
            batchID == "\(batchID[..<dash])-\(serial)"
        else { return (batchID, 0) }
        return (String(batchID[..<dash]), serial)
    }
}
