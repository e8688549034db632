// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

/// An engine of `receipts` on the bench: a test gives it pushes and answers of queues, moves its clock, and takes its output.
final class ReceiptsBench {
    static let reports = name("Alicom-Queue-1-SmsReport")
    static let replies = name("Alicom-Queue-1-SmsUp")

    private static func name(_ text: String) -> QueueName {
        guard let name = QueueName(text) else { preconditionFailure("no name of a queue: \(text)") }
        return name
    }

    var engine: ReceiptsEngine
    var now = Instant(nanoseconds: 0)
    /// The requests under way, oldest first.
    var inFlight: [ReceiptsEngine.QueueRequest] = []
    private var nextPush: UInt64 = 1

    init(_ queues: [QueueName] = [], seed: UInt64 = 1, maximumRemembered: Int = 1000) {
        engine = ReceiptsEngine(
            queues: queues,
            timeout: .seconds(10),
            key: Array(0..<16),
            seed: seed,
            maximumRemembered: maximumRemembered,
        )
    }

    var tally: ReceiptsEngine.Tally { engine.tally }
    var stops: [StopReason] { engine.stops }
    var endingSignal: Int32? { engine.endingSignal }
    var isFinished: Bool { engine.isFinished(at: now) }
    var nextDeadline: Instant? { engine.nextDeadline(at: now) }
    func nextAbandoned() -> RequestID? { engine.nextAbandoned(at: now) }

    func push(_ body: String) -> (id: UInt64, refusal: ReceiptsEngine.PushRefusal?) {
        defer { nextPush += 1 }
        let bytes = Array(body.utf8)
        return (nextPush, engine.pushArrived(nextPush, bytes.span, at: now))
    }

    /// What a buffer of the output gets; it is not written yet.
    func take() -> String {
        var buffer: [UInt8] = []
        engine.takeOutput(into: &buffer)
        return String(decoding: buffer, as: UTF8.self)
    }

    /// What the output gets, written at once.
    func output() -> String {
        let text = take()
        if !text.isEmpty { engine.outputWritten(at: now) }
        return text
    }

    /// The pushes that are answered now, with whether they are taken.
    func answered() -> [UInt64: Bool] {
        var found: [UInt64: Bool] = [:]
        while let (push, isTaken) = engine.nextAnswered() { found[push] = isTaken }
        return found
    }

    // MARK: - Queues

    /// Sends what the engine wants to ask now.
    @discardableResult
    func ask() -> [ReceiptsEngine.Call] {
        var calls: [ReceiptsEngine.Call] = []
        while let request = engine.nextRequest(at: now) {
            inFlight.append(request)
            calls.append(request.call)
        }
        return calls
    }

    /// Takes the oldest request under way for something.
    func answering(_ matches: (ReceiptsEngine.Call) -> Bool) -> ReceiptsEngine.QueueRequest {
        let index = inFlight.firstIndex { matches($0.call) }
        guard let index else {
            Issue.record("nothing of the kind was asked: \(inFlight)")
            fatalError("nothing of the kind was asked")
        }
        return inFlight.remove(at: index)
    }

    func giveToken(lifetime: Int = 600) {
        engine.tokenArrived(answering { $0 == .token }.id, lifetime: lifetime, at: now)
    }

    func give(_ messages: [QueueMessage]) {
        engine.received(answering { $0 == .receive }.id, messages, at: now)
    }

    func wait(_ duration: Duration) {
        now = now.advanced(by: duration)
        engine.deadlineReached(at: now)
    }

    func notices() -> [ReceiptsEngine.Notice] {
        var found: [ReceiptsEngine.Notice] = []
        while let notice = engine.nextNotice() { found.append(notice) }
        return found
    }
}

extension QueueMessage {
    init(_ handle: String, _ body: String) { self.init(handle: handle, body: Array(body.utf8)) }
}
