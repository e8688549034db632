// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

extension SendDetails {
    /// Whether a message of a certain request is on record.
    ///
    /// - Parameters:
    ///   - outID: The text that travelled as OutId; not empty.
    ///   - templateCode: The code of the template.
    ///   - earliest: For an OutId that other requests may carry too: when the request left, in seconds since
    ///     1970-01-01T00:00:00Z, less what the clocks may differ. A record before that, or without a time, is none of
    ///     it.
    /// - Returns: Whether there is such a record.
    package func hasMessage(outID: String, templateCode: String, sentSince earliest: Int? = nil) -> Bool {
        records.contains { record in
            // By bytes: texts that only look alike may be those of two requests.
            guard let recorded = record.outID, recorded.utf8.elementsEqual(outID.utf8),
                record.templateCode == templateCode
            else { return false }
            guard let earliest else { return true }
            return record.sendDate.flatMap(ChinaTime.epochSeconds(of:)).map { $0 >= earliest } ?? false
        }
    }
}
