// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

extension Call {
    /// The SendSms call for a message that goes alone; every parameter is in the query, as the current SDK sends it.
    ///
    /// - Parameters:
    ///   - id: The request.
    ///   - engine: Holds the message.
    /// - Returns: The call.
    package static func sendSms(_ id: RequestID, of engine: borrowing Engine) -> Call {
        let head = engine.head(of: id)
        precondition(head.count == 1, "SendSms takes a message that is alone in its request")
        var call = Call(.sendSms)
        call.query.append("OutId", head.outID.span)
        engine.forEachMessage(of: id) { message, chunk in
            call.query.append("PhoneNumbers", bytes(message.phoneNumber, of: chunk).span)
            call.query.append("SignName", text(message.signName, of: chunk).span)
            if head.hasExtensionCode {
                call.query.append("SmsUpExtendCode", text(message.extensionCode, of: chunk).span)
            }
            call.query.append("TemplateCode", head.templateCode.span)
            if head.hasParameters {
                call.query.append("TemplateParam", bytes(message.templateParameters, of: chunk).span)
            }
        }
        return call
    }

    /// The text of a JSON string.
    private static func text(_ range: ByteRange, of chunk: Chunk) -> [UInt8] {
        let string = bytes(range, of: chunk)
        return JSONText.decodeString(string.span, 0..<string.count)
    }

    private static func bytes(_ range: ByteRange, of chunk: Chunk) -> [UInt8] {
        var bytes: [UInt8] = []
        chunk.append(range, to: &bytes)
        return bytes
    }
}
