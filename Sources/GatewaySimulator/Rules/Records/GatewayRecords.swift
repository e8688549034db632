// SPDX-License-Identifier: Apache-2.0

import DequeModule

/// A request as it was received and what the gateway made of it.
package struct RequestRecord: Sendable {
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
    /// Whether all but its place among the messages is forgotten.
    private(set) var isForgotten = false

    /// The number after that of its last message.
    var endOfMessages: UInt64 { firstMessage + UInt64(send?.elements.count ?? 0) }

    /// Forgets what no message needs.
    mutating func forget() {
        request = SimulatedRequest(method: "", target: [], headers: [])
        (message, ignoredParameters, culprits) = ("", [], [])
        isForgotten = true
    }

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
    /// The most bytes of requests that are kept.
    static let maximumByteCount = 128 * 1_024 * 1_024

    /// How many messages are kept, and how many requests without any: look-ups, and what was refused.
    let maximumCount: Int
    /// The requests, oldest first.
    private(set) var requests = RecordQueue<RequestRecord>()
    /// The messages that were taken more than once.
    private(set) var duplicates: DuplicatesLedger
    /// How many requests came.
    private(set) var requestCount = 0
    /// How many messages were taken.
    private(set) var messageCount = 0
    /// How many requests were answered with each code.
    private(set) var countsByCode: [String: Int] = [:]
    /// The numbers of the requests without messages that are kept, oldest first.
    private var others: Deque<UInt64> = []
    private var nextMessage: UInt64 = 1
    private var byteCount = 0
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
        let first = requests.first?.firstMessage ?? nextMessage
        return max(first, nextMessage - min(nextMessage, UInt64(maximumCount)))..<nextMessage
    }

    /// Adds a request, and its messages if it was taken.
    ///
    /// - Parameter record: The request; it holds its messages if they were taken.
    mutating func append(_ record: RequestRecord) {
        var record = record
        requestCount += 1
        countsByCode[record.code, default: 0] += 1
        record.firstMessage = nextMessage
        if let send = record.send {
            messageCount += send.elements.count
            nextMessage += UInt64(send.elements.count)
            record.previousMessages = index(send, from: record.firstMessage)
            let request = requests.nextNumber
            duplicates.note(send.elements.map(\.digest), bizID: record.bizID ?? "") { index in
                Self.render(index, of: record, send, request: request)
            }
        }
        byteCount += record.byteCount
        if record.send == nil { others.append(requests.nextNumber) }
        requests.append(record)
        forgetOldest()
        dropOldest()
    }

    /// Forgets the oldest request without messages, if there are too many.
    ///
    /// Look-ups come by the thousand for each message: they must not push out what they look for.
    private mutating func forgetOldest() {
        guard others.count > maximumCount, let number = others.popFirst(), var record = requests[number] else { return }
        byteCount -= record.byteCount
        record.forget()
        byteCount += record.byteCount
        requests[number] = record
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
        while let first = requests.first, requests.count > 1 {
            // A request goes with the last of its messages, and one without any with the next message after it.
            let isOutlived = first.endOfMessages < firstMessage + (first.send == nil ? 0 : 1)
            guard isOutlived || first.isForgotten || byteCount > Self.maximumByteCount else { return }
            byteCount -= first.byteCount
            if others.first == requests.firstNumber { others.removeFirst() }
            requests.dropFirst()
        }
    }

    /// Forgets everything; numbers go on.
    mutating func removeAll() {
        requests.removeAll()
        others.removeAll()
        duplicates.removeAll()
        (requestCount, messageCount, byteCount) = (0, 0, 0)
        countsByCode = [:]
        lastByNumber = Self.emptyIndex(for: maximumCount)
    }

    private static func emptyIndex(for count: Int) -> [UInt64] {
        var size = 1_024
        while size / 2 < count, size < 1 << 22 { size *= 2 }
        return [UInt64](repeating: 0, count: size)
    }

    // MARK: Looking

    /// A message of a number, rendered; `nil` for one that is no longer kept.
    func message(_ message: UInt64) -> SentMessage? {
        request(ofMessage: message).map { number, record, send in
            Self.render(Int(message - record.firstMessage), of: record, send, request: number)
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
                let message = Self.render(index, of: request.record, request.send, request: request.number)
                if message.digits == digits { found.append(message) }
            }
            number = request.record.previousMessages[index]
        }
        return found
    }

    /// The request in which a message was taken; `nil` if the message is no longer kept.
    private func request(ofMessage number: UInt64) -> (number: UInt64, record: RequestRecord, send: SendRequest)? {
        guard messageNumbers.contains(number) else { return nil }
        // The first request that ends behind it.
        var candidates = requests.numbers
        while candidates.count > 1 {
            let middle = candidates.lowerBound + UInt64(candidates.count / 2) - 1
            if requests[middle].map({ $0.endOfMessages > number }) ?? false {
                candidates = candidates.lowerBound..<(middle + 1)
            } else {
                candidates = (middle + 1)..<candidates.upperBound
            }
        }
        guard let record = requests[candidates.lowerBound], let send = record.send else { return nil }
        return (candidates.lowerBound, record, send)
    }

    private static func render(
        _ index: Int,
        of record: RequestRecord,
        _ send: SendRequest,
        request: UInt64,
    ) -> SentMessage {
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
            request: request,
            failure: record.culprits.first { $0.index == index }?.refusal.code,
        )
    }
}
