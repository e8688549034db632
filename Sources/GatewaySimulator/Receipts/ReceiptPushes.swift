// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// The pushes of receipts to a consumer's URL: what is sent when, and again when.
///
/// Source: api 5.1: a JSON array each; acknowledged by 200 and a numeric `code`; else pushed again after 1, 5 and 10 minutes,
/// then given up.
struct ReceiptPushes: Sendable {
    /// One request to the consumer.
    struct Push: Equatable, Sendable {
        /// Names the push when its answer comes.
        var id: Int
        /// The JSON array.
        var body: [UInt8]
    }

    private struct Batch: Sendable {
        var body: [UInt8]
        var failureCount = 0
        var nextTime: WallTime
        var isUnderWay = false
        /// Whether it was acknowledged before.
        var isRepeat = false
    }

    /// The most receipts of a push.
    static let batchSize = 100
    /// The most pushes that wait for an acknowledgement; past that, new receipts wait.
    static let maximumWaitingCount = 1_000
    private static let pauses: [Duration] = [.seconds(60), .seconds(300), .seconds(600)]

    private let timeScale: Double
    private let duplicateShare: Double
    private var generator: SeededGenerator
    private var batches: [Int: Batch] = [:]
    private var nextID = 1
    /// How many pushes were acknowledged.
    private(set) var acknowledgedCount = 0
    /// How many batches were given up.
    private(set) var abandonedCount = 0

    /// Creates an empty schedule.
    ///
    /// - Parameters:
    ///   - timeScale: By what the pauses are multiplied; 0.001 makes a minute 60ms.
    ///   - duplicateShare: The share of pushes that are sent a second time although they were acknowledged.
    ///   - seed: Decides which ones.
    init(timeScale: Double, duplicateShare: Double, seed: UInt64) {
        self.timeScale = timeScale
        self.duplicateShare = duplicateShare
        generator = SeededGenerator(seed: seed)
    }

    /// Whether there is room for new receipts.
    var hasRoom: Bool { batches.count < Self.maximumWaitingCount }

    /// Adds receipts, to be pushed at once.
    mutating func add(_ receipts: [Receipt], at now: WallTime) {
        guard !receipts.isEmpty else { return }
        var body: [UInt8] = [UInt8(ascii: "[")]
        for (index, receipt) in receipts.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body.append(contentsOf: receipt.json)
        }
        body.append(UInt8(ascii: "]"))
        batches[nextID] = Batch(body: body, nextTime: now)
        nextID += 1
    }

    /// Takes the pushes whose time has come.
    mutating func take(at now: WallTime) -> [Push] {
        let due = batches.filter { !$0.value.isUnderWay && $0.value.nextTime <= now }.sorted { $0.key < $1.key }
        for (id, _) in due { batches[id]?.isUnderWay = true }
        return due.map { Push(id: $0.key, body: $0.value.body) }
    }

    /// Notes what became of a push.
    mutating func answered(_ id: Int, isAcknowledged: Bool, at now: WallTime) {
        guard var batch = batches[id] else { return }
        batch.isUnderWay = false
        if isAcknowledged {
            acknowledgedCount += 1
            batches[id] = nil
            guard Double.random(in: 0..<1, using: &generator) < duplicateShare else { return }
            // Once: a repeat of a repeat would go on for ever.
            guard !batch.isRepeat else { return }
            batches[nextID] = Batch(body: batch.body, nextTime: now, isRepeat: true)
            nextID += 1
        } else if batch.failureCount < Self.pauses.count {
            batch.nextTime = now + Self.pauses[batch.failureCount] * timeScale
            batch.failureCount += 1
            batches[id] = batch
        } else {
            abandonedCount += 1
            batches[id] = nil
        }
    }

    /// Whether an answer acknowledges a push: status 200 and a JSON object whose `code` is a number, whichever.
    static func isAcknowledgement(status: Int, body: [UInt8]) -> Bool {
        guard status == 200, let members = try? JSONScanner.members(of: body.span, in: 0..<body.count) else {
            return false
        }
        return members.contains { String(decoding: body[$0.name], as: UTF8.self) == "code" && $0.kind == .number }
    }
}
