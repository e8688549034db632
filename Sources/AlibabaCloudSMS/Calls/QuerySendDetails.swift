// SPDX-License-Identifier: Apache-2.0

import MessagePipe

extension Call {
    /// Asks what became of the messages to one number on one day.
    ///
    /// - Parameters:
    ///   - phoneNumber: One number; mainland ones with 11 digits and no prefix, others with the country code.
    ///   - sendDate: The day in China, `yyyyMMdd`, one of the last 30.
    ///   - bizID: The receipt id of one request; `nil` for all messages of the day.
    ///   - page: The page, from 1.
    ///   - pageSize: Records on a page, 1 to ``SendDetails/maximumPageSize``.
    /// - Returns: The call; every parameter is in the query.
    package static func querySendDetails(
        phoneNumber: Span<UInt8>,
        sendDate: Span<UInt8>,
        bizID: String? = nil,
        page: Int = 1,
        pageSize: Int = SendDetails.maximumPageSize,
    ) -> Call {
        precondition(page >= 1 && (1...SendDetails.maximumPageSize).contains(pageSize), "no such page of send details")
        var query = EncodedParameters()
        if let bizID { query.append("BizId", bizID) }
        query.append("CurrentPage", String(page))
        query.append("PageSize", String(pageSize))
        query.append("PhoneNumber", phoneNumber)
        query.append("SendDate", sendDate)
        return Call(.querySendDetails, query: query)
    }
}
