// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

extension Call {
    /// Asks for a token for a queue of receipts.
    ///
    /// - Parameter queue: The queue.
    /// - Returns: The call; every parameter is in the query.
    package static func queryTokenForMnsQueue(_ queue: QueueName) -> Call {
        var query = EncodedParameters()
        query.append("MessageType", queue.type.rawValue)
        query.append("QueueName", queue.text)
        return Call(.queryTokenForMnsQueue, query: query)
    }
}

/// Temporary credentials for a queue of receipts.
package struct QueueToken: Sendable {
    /// The credentials.
    package let credentials: Credentials
    /// How long they live, in seconds.
    package let lifetime: Int

    /// How long a token lives that does not tell.
    ///
    /// Source: api 5.2.
    private static let usualLifetime = 600

    /// What an answer to QueryTokenForMnsQueue says.
    package enum Result: Sendable {
        /// The token.
        case token(QueueToken)
        /// A refusal; asking again is always safe, whatever its class.
        case refused(Answer)
    }

    /// Reads an answer.
    ///
    /// - Parameters:
    ///   - status: The HTTP status.
    ///   - body: The whole body.
    ///   - evidence: What the request's signature was made of; explains a refusal of it.
    /// - Returns: The token, or why there is none.
    /// - Throws: ``UnreadableAnswer`` if the body is not what this call answers.
    package static func decode(
        status: Int,
        body: Span<UInt8>,
        evidence: SignedRequest.Evidence? = nil,
    ) throws(UnreadableAnswer) -> Result {
        var members = ObjectMembers()
        let answer = try AnswerDecoder.decode(
            status: status,
            retryAfterMilliseconds: nil,
            body: body,
            evidence: evidence,
            members: &members,
        )
        guard answer.codeClass == .success else { return .refused(answer) }
        guard let object = members.member("MessageTokenDTO", in: body), object.kind == .object,
            let token = try? ObjectMembers(of: body, in: object.value),
            let credentials = try? Credentials(
                accessKeyID: ("AccessKeyId", token.text("AccessKeyId", in: body)),
                accessKeySecret: ("AccessKeySecret", token.text("AccessKeySecret", in: body)),
                securityToken: ("SecurityToken", token.text("SecurityToken", in: body)),
            )
        else { throw UnreadableAnswer(status: status, reason: "the answer has no token") }
        // Both times are by the service's clock, so that ours need not be right.
        let times = ["CreateTime", "ExpireTime"].map { name in
            token.text(name, in: body).flatMap { ChinaTime.epochSeconds(of: $0) }
        }
        var lifetime = usualLifetime
        if let created = times[0], let ends = times[1], ends > created { lifetime = ends - created }
        return .token(QueueToken(credentials: credentials, lifetime: lifetime))
    }
}
