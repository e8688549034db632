// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// What the gateway does about one request: the answer and how it travels.
package struct SimulatedAnswer: Equatable, Sendable {
    /// How an answer reaches the client, or does not.
    package enum Delivery: Equatable, Sendable {
        /// Sent whole.
        case whole
        /// The connection is closed and nothing is sent.
        case dropped
        /// Nothing is sent and the connection stays open until the client gives up.
        case stalled
        /// The head promises the whole body, half of it is sent, and the connection is closed.
        case truncated
    }

    /// The HTTP status.
    package var status: Int
    /// The headers, without those that frame the body.
    package var headers: [HeaderField]
    /// The body.
    package var body: [UInt8]
    /// How the answer travels.
    package var delivery: Delivery
    /// How long the client waits for it.
    package var delay: Duration

    /// Creates an answer.
    ///
    /// - Parameters:
    ///   - status: The HTTP status.
    ///   - headers: The headers, without those that frame the body.
    ///   - body: The body.
    ///   - delivery: How the answer travels.
    ///   - delay: How long the client waits for it.
    package init(
        status: Int,
        headers: [HeaderField] = [],
        body: [UInt8],
        delivery: Delivery = .whole,
        delay: Duration = .zero,
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.delivery = delivery
        self.delay = delay
    }

    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// The format that an answer of the API is written in.
enum AnswerFormat: Equatable, Sendable {
    case json
    case xml

    /// The content type of the format, in the service's spelling.
    ///
    /// The XML spelling is the one that the service's SDKs compare with. Source: api 2.7, tea-openapi 0.4.6.
    var contentType: String {
        switch self {
        case .json: "application/json;charset=utf-8"
        case .xml: "text/xml;charset=utf-8"
        }
    }
}

/// A value in an answer of the API, written as JSON or as XML.
enum AnswerValue: Sendable {
    case string(String)
    case integer(Int)
    case boolean(Bool)
    /// A list; in XML each element is named by the second value.
    case list([AnswerValue], element: String)
    /// Members in order.
    case members([(name: String, value: AnswerValue)])

    /// The bytes of the value in a format.
    ///
    /// - Parameters:
    ///   - format: JSON or XML.
    ///   - root: The name of the root element in XML.
    /// - Returns: The bytes.
    func encoded(as format: AnswerFormat, root: String) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(256)
        switch format {
        case .json:
            appendJSON(to: &output)
        case .xml:
            output.append(contentsOf: "<?xml version='1.0' encoding='UTF-8'?>".utf8)
            appendXML(named: root, to: &output)
        }
        return output
    }

    /// Appends the value as JSON.
    func appendJSON(to output: inout [UInt8]) {
        switch self {
        case .string(let text):
            JSONText.appendString(text, to: &output)
        case .integer(let number):
            output.append(contentsOf: String(number).utf8)
        case .boolean(let value):
            output.append(contentsOf: (value ? "true" : "false").utf8)
        case .list(let values, _):
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                value.appendJSON(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .members(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONText.appendString(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.appendJSON(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private func appendXML(named name: String, to output: inout [UInt8]) {
        output.append(contentsOf: "<\(name)>".utf8)
        switch self {
        case .string(let text):
            appendXMLText(text, to: &output)
        case .integer(let number):
            output.append(contentsOf: String(number).utf8)
        case .boolean(let value):
            output.append(contentsOf: (value ? "true" : "false").utf8)
        case .list(let values, let element):
            for value in values { value.appendXML(named: element, to: &output) }
        case .members(let members):
            for member in members {
                // A list whose elements have its own name is repeated elements; another one is wrapped.
                if case .list(let values, member.name) = member.value {
                    for value in values { value.appendXML(named: member.name, to: &output) }
                } else {
                    member.value.appendXML(named: member.name, to: &output)
                }
            }
        }
        output.append(contentsOf: "</\(name)>".utf8)
    }

    private func appendXMLText(_ text: String, to output: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): output.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): output.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "&"): output.append(contentsOf: "&amp;".utf8)
            case 0..<0x20 where byte != 0x09 && byte != 0x0A && byte != 0x0D:
                output.append(contentsOf: "\u{FFFD}".utf8)
            default: output.append(byte)
            }
        }
    }
}
