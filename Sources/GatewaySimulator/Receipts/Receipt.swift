// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// What a consumer of receipts gets: a delivery report, or a reply to a message.
enum Receipt: Equatable, Sendable {
    /// A delivery report. Source: api 5.1, SmsReport.
    case report(message: UInt64, fields: [UInt8])
    /// A reply. Source: api 5.1, SmsUp.
    case reply(fields: [UInt8])

    /// The JSON object.
    var json: [UInt8] {
        switch self {
        case .report(_, let fields), .reply(let fields): fields
        }
    }

    /// Makes the report of a message.
    static func report(of message: SentMessage, state: DeliveryState, segments: Int) -> Receipt {
        let time = state.reportTime ?? message.time
        var members: [(name: String, value: AnswerValue)] = [
            ("phone_number", .string(message.digits)),
            ("send_time", .string(message.time.chinaText)),
            ("report_time", .string(time.chinaText)),
            ("success", .boolean(state.sendStatus == 3)),
            ("err_code", .string(state.errorCode)),
            ("err_msg", .string(state.sendStatus == 3 ? "用户接收成功" : state.errorCode)),
            ("sms_size", .string(String(segments))),
            ("biz_id", .string(message.bizID)),
        ]
        if let outID = message.outID { members.append(("out_id", .string(outID))) }
        return .report(message: message.number, fields: encoded(members))
    }

    /// Makes a reply.
    static func reply(_ reply: IncomingReply, at time: WallTime, number: Int) -> Receipt {
        var members: [(name: String, value: AnswerValue)] = [
            ("phone_number", .string(reply.phoneNumber)),
            ("send_time", .string(time.chinaText)),
            ("content", .string(reply.content)),
        ]
        if let signName = reply.signName { members.append(("sign_name", .string(signName))) }
        members += [("dest_code", .string(reply.destinationCode)), ("sequence_id", .integer(number))]
        return .reply(fields: encoded(members))
    }

    private static func encoded(_ members: [(name: String, value: AnswerValue)]) -> [UInt8] {
        var bytes: [UInt8] = []
        AnswerValue.members(members).appendJSON(to: &bytes)
        return bytes
    }
}

/// A reply that a test has someone write: `{"PhoneNumber":…,"Content":…,"SignName":…,"DestCode":…}`.
struct IncomingReply: Equatable, Sendable {
    var phoneNumber: String
    var content: String
    var signName: String?
    var destinationCode: String

    /// Reads a reply.
    ///
    /// - Throws: ``AccountFileError`` that says what is wrong.
    init(_ body: [UInt8]) throws(AccountFileError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(body)
        } catch {
            throw AccountFileError(path: "", problem: "the body is no JSON: \(error.description)")
        }
        let node = try AccountNode(value, at: "", knowing: ["PhoneNumber", "Content", "SignName", "DestCode"])
        phoneNumber = try node.requiredText("PhoneNumber")
        content = try node.requiredText("Content")
        signName = try node.text("SignName")
        destinationCode = try node.text("DestCode") ?? "10690000"
    }
}
