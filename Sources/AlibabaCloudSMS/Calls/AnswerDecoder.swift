// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

/// Reads the gateway's answers, one after the other with the same storage.
package struct AnswerDecoder {
    /// The longest wait that a gateway's `x-acs-retry-after` can ask for; half of the time that a message has at most
    /// by default.
    package static let maximumRetryAfter: Duration = .seconds(60)

    /// The most that is kept of an answer's text, which goes into the response line of every message of the request.
    package static let maximumMessageBytes = 1_024

    private var members = ObjectMembers()

    /// Creates a decoder.
    package init() {}

    /// Reads an answer to a request that sends.
    ///
    /// What counts, in this order:
    /// - A BizId is a receipt: the request was taken, whatever else the answer says, even of the BizId.
    /// - Two codes that differ say nothing.
    /// - With a status of 5xx it may have been taken, even if the gateway names a wait: a 503 can come from behind the
    ///   gateway, and there is no telling whether the SMS service saw the request.
    /// - `x-acs-retry-after` marks a refusal (4xx) as throttling, as the official SDKs take it; not one whose code
    ///   leaves open what became of the request.
    /// - Else the code table decides. A code that is not in it is a refusal only with a RequestId, which every answer of the
    ///   gateway has: something on the way may have answered after the gateway took the request.
    ///
    /// - Parameters:
    ///   - status: The HTTP status.
    ///   - retryAfterMilliseconds: The value of `x-acs-retry-after`; counts if positive.
    ///   - body: The whole body.
    ///   - evidence: What the request's signature was made of; explains a refusal of it.
    /// - Returns: The answer.
    /// - Throws: ``UnreadableAnswer`` if the body is no JSON object with a `BizId` or with one `Code`, a string.
    /// - Complexity: O(*n*) in the body's bytes.
    package mutating func decode(
        status: Int,
        retryAfterMilliseconds: Int? = nil,
        body: Span<UInt8>,
        evidence: SignedRequest.Evidence? = nil,
    ) throws(UnreadableAnswer) -> Answer {
        try Self.decode(
            status: status,
            retryAfterMilliseconds: retryAfterMilliseconds,
            body: body,
            evidence: evidence,
            members: &members,
        )
    }

    /// Reads an answer, and gives its members to whoever wants more of them.
    static func decode(
        status: Int,
        retryAfterMilliseconds: Int?,
        body: Span<UInt8>,
        evidence: SignedRequest.Evidence?,
        members: inout ObjectMembers,
    ) throws(UnreadableAnswer) -> Answer {
        do {
            try members.scan(body, in: 0..<body.count)
        } catch {
            throw UnreadableAnswer(status: status, reason: "the body is no JSON object (\(error))")
        }
        // Gateways of other products write the names with a small letter, and the official SDKs take both.
        let bizID = try bizID(members, status: status, body: body)
        var code: String?
        var codeCount = 0
        var isContradictory = false
        members.forEach(named: "Code", or: "code", in: body) { member in
            let text = codeText(of: member, in: body)
            if codeCount > 0, text != code { isContradictory = true }
            codeCount += 1
            code = text
        }
        guard bizID != nil || !isContradictory else {
            throw UnreadableAnswer(status: status, reason: "the body has two Codes")
        }
        guard code != nil || bizID != nil else {
            throw UnreadableAnswer(status: status, reason: "the body has no Code")
        }
        let message = members.text("Message", in: body) ?? members.text("message", in: body) ?? ""
        let retryAfter = retryAfterMilliseconds.flatMap { milliseconds in
            milliseconds > 0 ? min(.milliseconds(milliseconds), maximumRetryAfter) : nil
        }

        var answer = Answer(
            codeClass: .success,
            code: code ?? "OK",
            message: shortened(message),
            bizID: bizID,
            requestID: (members.nonEmptyText("RequestId", in: body) ?? members.nonEmptyText("requestId", in: body))
                .flatMap { $0.isIdentifier ? $0 : nil },
            retryAfter: retryAfter,
        )
        if bizID == nil {
            answer.codeClass = CodeTable.codeClass(of: answer.code, status: status)
            let isGateways = answer.requestID != nil || retryAfter != nil
            if !isGateways, !CodeTable.isKnown(answer.code) { answer.codeClass = .ambiguous }
            if retryAfter != nil, (400..<500).contains(status), answer.codeClass != .ambiguous {
                answer.codeClass = .throttle
            }
        }
        if answer.code == "SignatureDoesNotMatch" {
            answer.message = SignatureDiagnosis(message: message, evidence: evidence).explanation
        }
        return answer
    }

    /// The code that a member gives; `nil` if it is none, as a number is that a proxy gives.
    private static func codeText(of member: JSONMember, in body: Span<UInt8>) -> String? {
        guard member.kind == .string, let text = ObjectMembers.text(of: member, in: body), text.isCode else {
            return nil
        }
        return text
    }

    /// The receipt, wherever it stands; `nil` where there is none.
    ///
    /// - Throws: ``UnreadableAnswer`` if there is something in its place.
    private static func bizID(
        _ members: ObjectMembers,
        status: Int,
        body: Span<UInt8>,
    ) throws(UnreadableAnswer) -> String? {
        var bizID: String?
        var isStrange = false
        members.forEach(named: "BizId", or: "bizId", in: body) { member in
            guard bizID == nil, member.kind != .null else { return }
            // It goes into response lines only, and whoever has one was taken: any text will do.
            guard let text = ObjectMembers.text(of: member, in: body), text.utf8.count <= String.maximumIdentifierBytes
            else {
                isStrange = true
                return
            }
            if !text.isEmpty { bizID = text }
        }
        if bizID == nil, isStrange { throw UnreadableAnswer(status: status, reason: "the BizId is no text") }
        return bizID
    }

    /// The beginning of a text, cut between two characters.
    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > maximumMessageBytes else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: maximumMessageBytes)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
