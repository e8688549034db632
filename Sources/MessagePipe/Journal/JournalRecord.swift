// SPDX-License-Identifier: Apache-2.0

/// What the first record of a journal says: under which conditions its other records hold.
package struct JournalHead: Equatable, Sendable {
    /// The version of the format that is written here.
    package static let currentVersion = 2

    /// The version of the format.
    package var version = currentVersion
    /// The key of all digests in the journal; random.
    package var salt: [UInt8]
    /// A digest of the access key id; `nil` where it is a temporary one.
    package var accessKey: String?
    /// Where the messages go.
    package var endpoint: String

    /// Creates the head of a journal of the current version.
    ///
    /// - Parameters:
    ///   - salt: ``KeyedDigest/keyByteCount`` random bytes.
    ///   - accessKeyID: Who sends; `nil` where the key is a temporary one, which another run will not have.
    ///   - endpoint: Where the messages go.
    package init(salt: [UInt8], accessKeyID: String?, endpoint: String) {
        self.salt = salt
        self.endpoint = endpoint
        accessKey = accessKeyID.map { Self.digest(ofAccessKeyID: $0, salt: salt) }
    }

    init(version: Int, salt: [UInt8], accessKey: String?, endpoint: String) {
        self.version = version
        self.salt = salt
        self.accessKey = accessKey
        self.endpoint = endpoint
    }

    /// What the head of a journal with a salt says about an access key id.
    package static func digest(ofAccessKeyID id: String, salt: [UInt8]) -> String {
        let digest = KeyedDigest(key: salt).digest(of: Array("K\(id)".utf8).span)
        let digits = Base64URL.digits(of: digest)
        return String(decoding: digits.indices.map { digits[$0] }, as: UTF8.self)
    }
}

/// One record of the journal: a line of JSON.
package enum JournalRecord: Equatable, Sendable {
    /// A message of a request that is to leave.
    package struct Message: Equatable, Sendable {
        /// The key of its identity.
        package var key: Digest96
        /// Stands for its content, in 60 bits, where the identity is an `Id`; else 0.
        package var content: UInt64
        /// Whether its identity is an `Id`.
        var hasID: Bool { content != 0 }
        /// Its line's number in the input of the run.
        package var line: UInt64

        /// Creates a message from its parts.
        package init(key: Digest96, content: UInt64 = 0, line: UInt64) {
            self.key = key
            self.content = content
            self.line = line
        }
    }

    /// The first record.
    case head(JournalHead)
    /// A request may leave from now on; then a result, or a withdrawal.
    case intent(batchID: String, sendDate: UInt32, messages: [Message])
    /// What became of a request's messages; the BatchId says of which.
    case result(Response, count: Int)
    /// A request was not taken and does not leave for now; its messages are as if they had never been intended.
    case withdrawal(batchID: String)

    /// The BatchId, where the record is about a request.
    package var batchID: String? {
        switch self {
        case .head: nil
        case .intent(let batchID, _, _), .withdrawal(let batchID): batchID
        case .result(let response, _): response.batchID
        }
    }
}

/// A record with what all of them have.
package struct JournalEntry: Equatable, Sendable {
    /// What happened.
    package var record: JournalRecord
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    package var time: Int64
    /// How many bytes of the journal were on stable storage for certain when the record was written.
    package var synced: Int

    /// Creates an entry from its parts.
    package init(_ record: JournalRecord, time: Int64, synced: Int) {
        self.record = record
        self.time = time
        self.synced = synced
    }
}
