// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

extension Call {
    /// The SendBatchSms call for a batch, written straight from its messages' bytes.
    ///
    /// `TemplateCode` and `OutId` go into the query, the JSON arrays into the form body, each array percent-encoded as it is
    /// written. Source: SendBatchSms reference, positions of the parameters.
    ///
    /// - Parameters:
    ///   - id: The request.
    ///   - engine: Holds the messages.
    /// - Returns: The call.
    /// - Complexity: O(*n*) in the messages' bytes.
    package static func sendBatchSms(_ id: RequestID, of engine: borrowing Engine) -> Call {
        let head = engine.head(of: id)
        var call = Call(.sendBatchSms)
        call.query.append("OutId", head.outID.span)
        call.query.append("TemplateCode", head.templateCode.span)
        call.form.append("PhoneNumberJson") { form in
            appendArray(to: &form, of: id, engine) { message, chunk, form in
                form.append(contentsOf: quote)
                append(message.phoneNumber, of: chunk, to: &form)
                form.append(contentsOf: quote)
            }
        }
        call.form.append("SignNameJson") { form in
            appendArray(to: &form, of: id, engine) { append($0.signName, of: $1, to: &$2) }
        }
        if head.hasExtensionCode {
            call.form.append("SmsUpExtendCodeJson") { form in
                appendArray(to: &form, of: id, engine) { append($0.extensionCode, of: $1, to: &$2) }
            }
        }
        if head.hasParameters {
            call.form.append("TemplateParamJson") { form in
                appendArray(to: &form, of: id, engine) { append($0.templateParameters, of: $1, to: &$2) }
            }
        }
        return call
    }

    private static let quote = Array("%22".utf8)

    /// Appends a JSON array with one element for each message, percent-encoded.
    private static func appendArray(
        to form: inout [UInt8],
        of id: RequestID,
        _ engine: borrowing Engine,
        _ appendElement: (Message, Chunk, inout [UInt8]) -> Void,
    ) {
        form.append(contentsOf: "%5B".utf8)
        var isFirst = true
        engine.forEachMessage(of: id) { message, chunk in
            if !isFirst { form.append(contentsOf: "%2C".utf8) }
            isFirst = false
            appendElement(message, chunk, &form)
        }
        form.append(contentsOf: "%5D".utf8)
    }

    private static func append(_ range: ByteRange, of chunk: Chunk, to form: inout [UInt8]) {
        chunk.withBytes(of: range) { PercentEncoding.append($0, to: &form) }
    }
}
