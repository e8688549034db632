// SPDX-License-Identifier: Apache-2.0

/// What the service has on record about the messages to one number on one day.
///
/// The text that was sent is not kept. Source: QuerySendDetails reference.
package struct SendDetails: Equatable, Sendable {
    /// The most records that an answer holds, a page.
    ///
    /// Source: QuerySendDetails reference, PageSize.
    package static let maximumPageSize = 50

    /// What became of a message.
    package enum Status: Int, Equatable, Sendable {
        /// The carrier's receipt is awaited.
        case waiting = 1
        /// The message was not delivered.
        case failed = 2
        /// The message was delivered.
        case delivered = 3
    }

    /// One message.
    package struct Record: Equatable, Sendable {
        /// The number.
        package var phoneNumber: String
        /// What became of it; `nil` for a status that is not documented.
        package var status: Status?
        /// The code of the template; `nil` where the record has none.
        package var templateCode: String?
        /// The text that travelled as OutId; `nil` where none did.
        package var outID: String?
        /// When it was sent, `yyyy-MM-dd HH:mm:ss` in China time.
        package var sendDate: String?
        /// When the receipt came, likewise; `nil` where none has.
        package var receiveDate: String?
        /// The carrier's code, an opaque text; success is spelt in several ways, so ``status`` alone decides.
        package var errorCode: String?

        /// Creates a record.
        package init(
            phoneNumber: String,
            status: Status?,
            templateCode: String? = nil,
            outID: String? = nil,
            sendDate: String? = nil,
            receiveDate: String? = nil,
            errorCode: String? = nil,
        ) {
            self.phoneNumber = phoneNumber
            self.status = status
            self.templateCode = templateCode
            self.outID = outID
            self.sendDate = sendDate
            self.receiveDate = receiveDate
            self.errorCode = errorCode
        }
    }

    /// The number of records on all pages; `nil` where the answer does not tell.
    package var totalCount: Int?
    /// The records of this page.
    package var records: [Record]

    /// Creates details.
    package init(totalCount: Int?, records: [Record]) {
        self.totalCount = totalCount
        self.records = records
    }
}
