// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// A request as it was received and what the gateway made of it.
package struct RequestRecord: Sendable {
    /// Its number among all that came, from 1.
    var number: UInt64 = 0
    /// When it came.
    var time: WallTime
    /// The gateway's id of it.
    var requestID: String
    /// The request.
    var request: SimulatedRequest
    /// The action that it named, or an empty text.
    var action: String
    /// The access key that it named, or an empty text.
    var accessKeyID: String
    /// The code that answered it.
    var code: String
    /// The text that answered it.
    var message: String
    /// The HTTP status that answered it.
    var status: Int
    /// The receipt id, if its messages were taken.
    var bizID: String?
    /// The fault that befell it.
    var fault: String?
    /// Parameters that the API does not know and the gateway ignored.
    var ignoredParameters: [String] = []
    /// The caller's own id of it, if it was a send that could be read.
    var outID: String?
    /// The messages, if they were taken.
    var send: SendRequest?
    /// The messages that failed although the others were taken.
    var culprits: [SendJudgement.Culprit] = []
    /// The number of its first message; if none was taken, that of the first message after it.
    var firstMessage: UInt64 = 0
    /// For each message the number of the one before it to the same phone number, or to another that hashes alike; 0 for none.
    var previousMessages: [UInt64] = []

    /// The number after that of its last message.
    var endOfMessages: UInt64 { firstMessage + UInt64(send?.elements.count ?? 0) }

    /// About how many bytes the record holds.
    var byteCount: Int {
        512 + request.target.count + request.body.count
            + (send.map { $0.bytes.count + $0.elements.count * MemoryLayout<SendRequest.Element>.stride } ?? 0)
    }
}

/// A message that was taken, rendered for those who look.
struct SentMessage: Equatable, Sendable {
    var number: UInt64
    var time: WallTime
    var phoneNumber: String
    var digits: String
    var signName: String
    var templateCode: String
    var templateParameters: String?
    var extensionCode: String?
    var outID: String?
    var bizID: String
    var requestID: String
    var request: UInt64
    var failure: String?
}

/// The requests and messages that the simulator remembers, and its counters.
struct GatewayRecords: Sendable {
    /// The most bytes of requests that are kept, and of those without messages among them: look-ups come by the thousand for
    /// each message, and must not push out what they look for.
    private static let maximumByteCount = (all: 128 << 20, others: 32 << 20)

    /// How many messages are kept, and how many requests without any.
    let maximumCount: Int
    /// The requests whose messages were taken, oldest first.
    private var sends: Deque<RequestRecord> = []
    /// The others: look-ups, and what was refused.
    private var others: Deque<RequestRecord> = []
    /// The messages that were taken more than once.
    private(set) var duplicates: DuplicatesLedger
    /// How many requests came.
    private(set) var requestCount = 0
    /// How many messages were taken.
    private(set) var messageCount = 0
    /// How many requests were answered with each code.
    private(set) var countsByCode: [String: Int] = [:]
    private var nextRequest: UInt64 = 1
    private var nextMessage: UInt64 = 1
    private var byteCount = (sends: 0, others: 0)
    /// The number of the last message for each hash of a phone number.
    private var lastByNumber: [UInt64]

    /// Creates empty records.
    ///
    /// - Parameters:
    ///   - maximumCount: How many messages, and how many requests without any, are kept.
    ///   - comparedCount: How many different messages the ledger of duplicates remembers at most.
    init(maximumCount: Int, comparedCount: Int) {
        self.maximumCount = max(1, maximumCount)
        duplicates = DuplicatesLedger(capacity: comparedCount)
        lastByNumber = Self.emptyIndex(for: self.maximumCount)
    }

    /// The numbers of the messages that are kept.
    var messageNumbers: Range<UInt64> {
        let first = sends.first?.firstMessage ?? nextMessage
        return max(first, nextMessage - min(nextMessage, UInt64(maximumCount)))..<nextMessage
    }

    /// Adds a request, and its messages if it was taken.
    ///
    /// - Parameter record: The request; it holds its messages if they were taken.
    mutating func append(_ record: RequestRecord) {
        var record = record
        requestCount += 1
        countsByCode[record.code, default: 0] += 1
        record.number = nextRequest
        nextRequest += 1
        record.firstMessage = nextMessage
        if let send = record.send {
            messageCount += send.elements.count
            nextMessage += UInt64(send.elements.count)
            record.previousMessages = index(send, from: record.firstMessage)
            duplicates.note(send.elements.map(\.digest), bizID: record.bizID ?? "") { index in
                Self.render(index, of: record, send)
            }
            byteCount.sends += record.byteCount
            sends.append(record)
        } else {
            byteCount.others += record.byteCount
            others.append(record)
        }
        dropOldest()
    }

    /// Notes messages under their phone numbers, and returns the ones that stood there before.
    private mutating func index(_ send: SendRequest, from firstMessage: UInt64) -> [UInt64] {
        let mask = UInt64(lastByNumber.count - 1)
        var number = firstMessage
        return send.elements.map { element in
            let slot = Int(element.numberHash & mask)
            let previous = lastByNumber[slot]
            lastByNumber[slot] = number
            number += 1
            return previous
        }
    }

    private mutating func dropOldest() {
        let firstMessage = messageNumbers.lowerBound
        // A request goes with the last of its messages, and one without any with the next message after it.
        while let first = sends.first,
            first.endOfMessages <= firstMessage
                || sends.count > 1 && byteCount.sends + byteCount.others > Self.maximumByteCount.all
        {
            byteCount.sends -= first.byteCount
            sends.removeFirst()
        }
        while let first = others.first,
            first.firstMessage < firstMessage || others.count > maximumCount
                || others.count > 1 && byteCount.others > Self.maximumByteCount.others
        {
            byteCount.others -= first.byteCount
            others.removeFirst()
        }
    }

    /// Forgets everything; numbers go on.
    mutating func removeAll() {
        sends.removeAll()
        others.removeAll()
        duplicates.removeAll()
        (requestCount, messageCount, byteCount) = (0, 0, (0, 0))
        countsByCode = [:]
        lastByNumber = Self.emptyIndex(for: maximumCount)
    }

    private static func emptyIndex(for count: Int) -> [UInt64] {
        var size = 1_024
        while size / 2 < count, size < 1 << 22 { size *= 2 }
        return [UInt64](repeating: 0, count: size)
    }

    // MARK: Looking

    /// The requests that are kept, oldest first.
    var requests: [RequestRecord] {
        var merged: [RequestRecord] = []
        merged.reserveCapacity(sends.count + others.count)
        var next = sends.startIndex
        for other in others {
            while next < sends.endIndex, sends[next].number < other.number {
                merged.append(sends[next])
                next += 1
            }
            merged.append(other)
        }
        merged.append(contentsOf: sends[next...])
        return merged
    }

    /// A message of a number, rendered; `nil` for one that is no longer kept.
    func message(_ message: UInt64) -> SentMessage? {
        request(ofMessage: message).map { record, send in
            Self.render(Int(message - record.firstMessage), of: record, send)
        }
    }

    /// The kept messages to a phone number in normal form, newest first.
    func messages(toDigits digits: String) -> [SentMessage] {
        let hash = ContentHash.of(digits)
        var found: [SentMessage] = []
        var number = lastByNumber[Int(hash & UInt64(lastByNumber.count - 1))]
        while let request = request(ofMessage: number) {
            let index = Int(number - request.record.firstMessage)
            if request.send.elements[index].numberHash == hash {
                let message = Self.render(index, of: request.record, request.send)
                if message.digits == digits { found.append(message) }
            }
            number = request.record.previousMessages[index]
        }
        return found
    }

    /// The request in which a message was taken; `nil` if the message is no longer kept.
    private func request(ofMessage number: UInt64) -> (record: RequestRecord, send: SendRequest)? {
        guard messageNumbers.contains(number) else { return nil }
        // The first request that ends behind it.
        var candidates = sends.indices
        while candidates.count > 1 {
            let middle = candidates.lowerBound + candidates.count / 2 - 1
            if sends[middle].endOfMessages > number {
                candidates = candidates.lowerBound..<(middle + 1)
            } else {
                candidates = (middle + 1)..<candidates.upperBound
            }
        }
        guard let record = candidates.first.map({ sends[$0] }), let send = record.send else { return nil }
        return (record, send)
    }

    private static func render(_ index: Int, of record: RequestRecord, _ send: SendRequest) -> SentMessage {
        let element = send.elements[index]
        return SentMessage(
            number: record.firstMessage + UInt64(index),
            time: record.time,
            phoneNumber: send.text(element.phoneNumber),
            digits: send.text(element.digits),
            signName: send.text(element.signName),
            templateCode: send.text(send.templateCode),
            templateParameters: element.templateParameters.map(send.text),
            extensionCode: element.extensionCode.map(send.text),
            outID: record.outID,
            bizID: record.bizID ?? "",
            requestID: record.requestID,
            request: record.number,
            failure: record.culprits.first { $0.index == index }?.refusal.code,
        )
    }
}
