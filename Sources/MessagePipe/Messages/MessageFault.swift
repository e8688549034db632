// SPDX-License-Identifier: Apache-2.0

/// Why a line cannot be sent; it is answered `invalid` with the fault's code and message.
package enum MessageFault: Error, Equatable, Sendable {
    /// The line is no JSON object.
    case invalidJSON(JSONError)
    /// The line is longer than allowed, in bytes.
    case lineTooLong(maximum: Int)
    /// A member that decides who gets what stands twice.
    case duplicateMember(StaticName)
    /// A member has a value of the wrong type.
    case wrongType(StaticName, expected: StaticName)
    /// There is no number, or it is no number.
    case phoneNumber(StaticName)
    /// There is neither a sign name in the line nor a default.
    case missingSignName
    /// There is neither a template code in the line nor a default.
    case missingTemplateCode
    /// `TemplateParam` is not an object of strings.
    case templateParameters(StaticName)
    /// `OutId` has too many characters.
    case outIDTooLong

    /// A text that is part of the program: never one of the input.
    package struct StaticName: Equatable, Sendable, ExpressibleByStringLiteral {
        let text: StaticString

        package init(stringLiteral text: StaticString) {
            self.text = text
        }

        package static func == (one: StaticName, other: StaticName) -> Bool {
            one.text.description == other.text.description
        }
    }

    /// The code of the response line: the API's for the same fault where it has one.
    package var code: String {
        switch self {
        case .invalidJSON: "smspipe.INVALID_JSON"
        case .lineTooLong: "smspipe.LINE_TOO_LONG"
        case .duplicateMember: "smspipe.DUPLICATE_MEMBER"
        case .wrongType: "isv.INVALID_PARAMETERS"
        case .phoneNumber: "isv.MOBILE_NUMBER_ILLEGAL"
        case .missingSignName: "isv.SMS_SIGNATURE_ILLEGAL"
        case .missingTemplateCode: "isv.SMS_TEMPLATE_ILLEGAL"
        case .templateParameters: "isv.INVALID_JSON_PARAM"
        case .outIDTooLong: "isv.PARAM_LENGTH_LIMIT"
        }
    }

    /// What is wrong and what to do, in one sentence without any value of the line.
    package var message: String {
        switch self {
        case .invalidJSON(let error):
            "The line is not a JSON object: at \(error)."
        case .lineTooLong(let maximum):
            "The line is longer than \(maximum) bytes; --max-line raises the limit."
        case .duplicateMember(let name):
            "The member \(name.text) stands more than once; it must be unique, so that it is clear what is sent."
        case .wrongType(let name, let expected):
            "\(name.text) must be \(expected.text)."
        case .phoneNumber(let problem):
            "PhoneNumber \(problem.text): give up to \(PhoneNumber.maximumDigits) digits, with an optional leading +."
        case .missingSignName:
            "SignName is missing: put it into the message or give --sign-name."
        case .missingTemplateCode:
            "TemplateCode is missing: put it into the message or give --template-code."
        case .templateParameters(let problem):
            "TemplateParam \(problem.text): give an object whose values are strings."
        case .outIDTooLong:
            "OutId must be shorter than 256 characters."
        }
    }
}
