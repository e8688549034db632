// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

/// Reads answers to QuerySendDetails.
package enum SendDetailsDecoder {
    /// What an answer says.
    package enum Result: Equatable, Sendable {
        /// The records.
        case details(SendDetails)
        /// A refusal; asking again is always safe, whatever its class.
        case refused(Answer)
    }

    /// Reads an answer.
    ///
    /// - Parameters:
    ///   - status: The HTTP status.
    ///   - retryAfterMilliseconds: The value of `x-acs-retry-after`; counts if positive.
    ///   - body: The whole body.
    ///   - evidence: What the request's signature was made of; explains a refusal of it.
    /// - Returns: The records, or why there are none.
    /// - Throws: ``UnreadableAnswer`` if the body is not what this call answers.
    /// - Complexity: O(*n*) in the body's bytes.
    package static func decode(
        status: Int,
        retryAfterMilliseconds: Int? = nil,
        body: Span<UInt8>,
        evidence: SignedRequest.Evidence? = nil,
    ) throws(UnreadableAnswer) -> Result {
        var members = ObjectMembers()
        let answer = try AnswerDecoder.decode(
            status: status,
            retryAfterMilliseconds: retryAfterMilliseconds,
            body: body,
            evidence: evidence,
            members: &members,
        )
        guard answer.codeClass == .success else { return .refused(answer) }
        do {
            return .details(
                SendDetails(
                    // A number in the reference's example, a string in its table of types.
                    totalCount: members.text("TotalCount", in: body).flatMap { Int($0) },
                    records: try records(members.member("SmsSendDetailDTOs", in: body), in: body),
                )
            )
        } catch {
            throw UnreadableAnswer(status: status, reason: "the list of records is malformed (\(error))")
        }
    }

    /// The records of `SmsSendDetailDTOs`; none where that is missing or null, as for a number without messages.
    private static func records(
        _ list: JSONMember?,
        in body: Span<UInt8>,
    ) throws(JSONError) -> [SendDetails.Record] {
        guard let list, list.kind != .null else { return [] }
        let inner = try ObjectMembers(of: body, in: list.value)
        guard let array = inner.member("SmsSendDetailDTO", in: body), array.kind != .null else { return [] }
        var records: [SendDetails.Record] = []
        for element in try JSONScanner.elements(of: body, in: array.value) {
            let record = try ObjectMembers(of: body, in: element.value)
            records.append(
                SendDetails.Record(
                    phoneNumber: record.text("PhoneNum", in: body) ?? "",
                    status: record.text("SendStatus", in: body).flatMap { Int($0) }.flatMap {
                        SendDetails.Status(rawValue: $0)
                    },
                    templateCode: record.nonEmptyText("TemplateCode", in: body),
                    outID: record.nonEmptyText("OutId", in: body),
                    sendDate: record.nonEmptyText("SendDate", in: body),
                    receiveDate: record.nonEmptyText("ReceiveDate", in: body),
                    errorCode: record.nonEmptyText("ErrCode", in: body),
                )
            )
        }
        return records
    }
}
