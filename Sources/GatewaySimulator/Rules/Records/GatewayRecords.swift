// SPDX-License-Identifier: Apache-2.0

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
    /// The messages, if it was a send that could be read.
    var send: SendRequest?
    /// The number of its first message that was taken, if any was.
    var firstMessage: UInt64 = 0
    /// How many messages were taken.
    var messageCount = 0

    /// About how many bytes the record holds.
    var byteCount: Int {
        512 + request.target.count + request.body.count + (send.map { $0.bytes.count + $0.elements.count * 128 } ?? 0)
    }
}

/// A message that was taken.
struct MessageRecord: Sendable {
    /// The number of its request.
    var request: UInt64
    /// Its index in the request.
    var index: Int
    /// The number of the message before it to the same phone number, or another that hashes alike; 0 for none.
    var previous: UInt64
    /// The code it failed with although its request was taken; `nil` for a message that was sent on.
    var failure: String?
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
    static let maximumByteCount = 256 * 1_024 * 1_024

    /// How many messages, and how many requests, are kept.
    let maximumCount: Int
    /// The requests, oldest first.
    private(set) var requests = RecordQueue<RequestRecord>()
    /// The messages, oldest first.
    private(set) var messages = RecordQueue<MessageRecord>()
    /// The messages that were taken more than once.
    private(set) var duplicates = DuplicatesLedger()
    /// How many requests came.
    private(set) var requestCount = 0
    /// How many messages were taken.
    private(set) var messageCount = 0
    /// How many requests were answered with each code.
    private(set) var countsByCode: [String: Int] = [:]
    private var byteCount = 0
    /// The number of the last message for each hash of a phone number.
    private var lastByNumber: [UInt64]

    /// Creates empty records.
    init(maximumCount: Int) {
        self.maximumCount = max(1, maximumCount)
        lastByNumber = Self.emptyIndex(for: self.maximumCount)
    }

    /// Adds a request, and its messages if it was taken.
    ///
    /// - Parameters:
    ///   - record: The request; its `bizID` says whether its messages were taken.
    ///   - culprits: The messages of it that failed although the others were taken.
    mutating func append(_ record: RequestRecord, failing culprits: [SendJudgement.Culprit]) {
        var record = record
        requestCount += 1
        countsByCode[record.code, default: 0] += 1
        if let send = record.send, let bizID = record.bizID {
            record.firstMessage = messages.nextNumber
            record.messageCount = send.elements.count
            messageCount += send.elements.count
            appendMessages(of: record, send, bizID: bizID, failing: culprits)
        }
        byteCount += record.byteCount
        requests.append(record)
        dropOldest()
    }

    private mutating func appendMessages(
        of record: RequestRecord,
        _ send: SendRequest,
        bizID: String,
        failing culprits: [SendJudgement.Culprit],
    ) {
        let request = requests.nextNumber
        let bytes = send.bytes.span
        let common = ContentHash.of(bytes, send.templateCode)
        let mask = UInt64(lastByNumber.count - 1)
        var nextCulprit = 0
        for (index, element) in send.elements.enumerated() {
            let numberHash = ContentHash.of(bytes, element.digits)
            let slot = Int(numberHash & mask)
            var message = MessageRecord(request: request, index: index, previous: lastByNumber[slot], failure: nil)
            lastByNumber[slot] = messages.nextNumber
            if nextCulprit < culprits.count, culprits[nextCulprit].index == index {
                message.failure = culprits[nextCulprit].refusal.code
                nextCulprit += 1
            }
            let number = messages.nextNumber
            messages.append(message)
            var digest = ContentHash.mix(common ^ numberHash, ContentHash.of(bytes, element.signName))
            digest = ContentHash.mix(digest, element.parametersHash)
            if let code = element.extensionCode { digest = ContentHash.mix(digest, ContentHash.of(bytes, code)) }
            duplicates.note(digest, bizID: bizID) {
                Self.render(message, number: number, of: record, send, bizID: bizID)
            }
        }
    }

    private mutating func dropOldest() {
        while messages.count > maximumCount, let message = messages.popFirst() {
            // The request goes with the last of its messages.
            if let request = requests[message.request], message.index + 1 == request.messageCount {
                dropRequests(through: message.request)
            }
        }
        while requests.count > maximumCount || byteCount > Self.maximumByteCount, requests.count > 1 {
            dropRequests(through: requests.firstNumber)
        }
    }

    private mutating func dropRequests(through number: UInt64) {
        while requests.firstNumber <= number, let request = requests.popFirst() {
            byteCount -= request.byteCount
            let end = request.firstMessage + UInt64(request.messageCount)
            while messages.firstNumber < end, messages.popFirst() != nil {}
        }
    }

    /// Forgets everything; numbers go on.
    mutating func removeAll() {
        requests.removeAll()
        messages.removeAll()
        duplicates.removeAll()
        (requestCount, messageCount, byteCount) = (0, 0, 0)
        countsByCode = [:]
        lastByNumber = Self.emptyIndex(for: maximumCount)
    }

    private static func emptyIndex(for count: Int) -> [UInt64] {
        var size = 1_024
        while size < count * 2, size < 1 << 22 { size *= 2 }
        return [UInt64](repeating: 0, count: size)
    }

    // MARK: Looking

    /// A message of a number, rendered; `nil` for one that is no longer kept.
    func message(_ number: UInt64) -> SentMessage? {
        guard let message = messages[number], let record = requests[message.request], let send = record.send else {
            return nil
        }
        return Self.render(message, number: number, of: record, send, bizID: record.bizID ?? "")
    }

    /// The kept messages to a phone number in normal form, newest first.
    func messages(toDigits digits: String) -> [SentMessage] {
        var found: [SentMessage] = []
        var number = lastByNumber[Int(ContentHash.of(digits) & UInt64(lastByNumber.count - 1))]
        while let record = messages[number] {
            if let message = message(number), message.digits == digits { found.append(message) }
            number = record.previous
        }
        return found
    }

    private static func render(
        _ message: MessageRecord,
        number: UInt64,
        of record: RequestRecord,
        _ send: SendRequest,
        bizID: String,
    ) -> SentMessage {
        let element = send.elements[message.index]
        return SentMessage(
            number: number,
            time: record.time,
            phoneNumber: send.text(element.phoneNumber),
            digits: send.text(element.digits),
            signName: send.text(element.signName),
            templateCode: send.text(send.templateCode),
            templateParameters: element.templateParameters.map(send.text),
            extensionCode: element.extensionCode.map(send.text),
            outID: send.outID.map(send.text),
            bizID: bizID,
            requestID: record.requestID,
            request: message.request,
            failure: message.failure,
        )
    }
}
