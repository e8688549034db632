// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

extension SendDetails {
    /// Whether a message of a certain request is on record.
    ///
    /// - Parameters:
    ///   - outID: The text that travelled as OutId; not empty.
    ///   - templateCode: The code of the template.
    ///   - times: For an OutId that other requests may carry too: when the request may have been taken, in seconds since
    ///     1970-01-01T00:00:00Z. A record of another time, or without one, is none of it.
    /// - Returns: Whether there is such a record.
    package func hasMessage(outID: String, templateCode: String, sentWithin times: ClosedRange<Int>? = nil) -> Bool {
        records.contains { record in
            // By bytes: texts that only look alike may be those of two requests.
            guard let recorded = record.outID, recorded.utf8.elementsEqual(outID.utf8),
                record.templateCode == templateCode
            else { return false }
            guard let times else { return true }
            return record.sendDate.flatMap(ChinaTime.epochSeconds(of:)).map { times.contains($0) } ?? false
        }
    }
}
