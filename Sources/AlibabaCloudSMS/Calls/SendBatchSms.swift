// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

extension Call {
    /// Makes this the SendBatchSms call for a batch, written straight from its messages' bytes into the storage of the call before.
    ///
    /// `TemplateCode` and `OutId` go into the query, the JSON arrays into the form body, each array percent-encoded as it is
    /// written. Source: SendBatchSms reference, positions of the parameters.
    ///
    /// - Parameters:
    ///   - id: The request.
    ///   - engine: Holds the messages.
    /// - Complexity: O(*n*) in the messages' bytes.
    package mutating func assignSendBatchSms(_ id: RequestID, of engine: borrowing Engine) {
        let head = engine.head(of: id)
        action = .sendBatchSms
        method = .post
        query.removeAll()
        query.append("OutId", head.outID.span)
        query.append("TemplateCode", head.templateCode.span)
        form.removeAll()
        engine.withTexts(of: id) { texts in
            form.append("PhoneNumberJson") { form in
                Self.appendArray(of: texts, { $0.phoneNumber }, isQuoted: true, to: &form)
            }
            form.append("SignNameJson") { form in
                Self.appendArray(of: texts, { $0.signName }, to: &form)
            }
            if head.hasExtensionCode {
                form.append("SmsUpExtendCodeJson") { form in
                    Self.appendArray(of: texts, { $0.extensionCode }, to: &form)
                }
            }
            if head.hasParameters {
                form.append("TemplateParamJson") { form in
                    Self.appendArray(of: texts, { $0.templateParameters }, to: &form)
                }
            }
        }
    }

    /// Appends a JSON array with one element for each message, percent-encoded.
    ///
    /// - Parameters:
    ///   - texts: The messages' texts.
    ///   - text: Where a message has the element's text.
    ///   - isQuoted: Whether the text is to be put into quotes; else it is JSON already.
    ///   - form: Where the array goes.
    @inline(__always)
    private static func appendArray(
        of texts: borrowing RequestTexts,
        _ text: (RequestTexts.Element) -> Range<Int>,
        isQuoted: Bool = false,
        to form: inout [UInt8],
    ) {
        let bytes = texts.bytes
        let elements = texts.elements
        var byteCount = 2
        for index in elements.indices { byteCount += text(elements[index]).count + 3 }
        PercentEncoding.append(rawBytes: byteCount, to: &form) { form in
            form.write(UInt8(ascii: "["))
            for index in elements.indices {
                if index > 0 { form.write(UInt8(ascii: ",")) }
                if isQuoted { form.write(UInt8(ascii: "\"")) }
                form.write(bytes.extracting(text(elements[index])))
                if isQuoted { form.write(UInt8(ascii: "\"")) }
            }
            form.write(UInt8(ascii: "]"))
        }
    }
}
