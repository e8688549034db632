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
    ///   - contents: Room for their texts, used again from one call to the next.
    /// - Returns: The call.
    /// - Complexity: O(*n*) in the messages' bytes.
    package static func sendBatchSms(
        _ id: RequestID,
        of engine: borrowing Engine,
        gatheredInto contents: inout RequestContents,
    ) -> Call {
        let head = engine.head(of: id)
        engine.gather(id, into: &contents)
        var call = Call(.sendBatchSms)
        call.query.append("OutId", head.outID.span)
        call.query.append("TemplateCode", head.templateCode.span)
        // Most bytes of a request are quotes, braces and Chinese text, which become three.
        call.form.reserveCapacity(contents.bytes.count * 3)
        call.form.append("PhoneNumberJson") { form in
            appendArray(of: contents, { $0.phoneNumber }, isQuoted: true, to: &form)
        }
        call.form.append("SignNameJson") { form in
            appendArray(of: contents, { $0.signName }, to: &form)
        }
        if head.hasExtensionCode {
            call.form.append("SmsUpExtendCodeJson") { form in
                appendArray(of: contents, { $0.extensionCode }, to: &form)
            }
        }
        if head.hasParameters {
            call.form.append("TemplateParamJson") { form in
                appendArray(of: contents, { $0.templateParameters }, to: &form)
            }
        }
        return call
    }

    /// Appends a JSON array with one element for each message, percent-encoded.
    ///
    /// - Parameters:
    ///   - contents: The messages' texts.
    ///   - text: Where a message has the element's text.
    ///   - isQuoted: Whether the text is to be put into quotes; else it is JSON already.
    ///   - form: Where the array goes.
    @inline(__always)
    private static func appendArray(
        of contents: RequestContents,
        _ text: (RequestContents.Element) -> Range<Int>,
        isQuoted: Bool = false,
        to form: inout [UInt8],
    ) {
        var byteCount = 2
        for element in contents.elements { byteCount += text(element).count + 3 }
        PercentEncoding.append(rawBytes: byteCount, to: &form) { form in
            form.write(UInt8(ascii: "["))
            var isFirst = true
            for element in contents.elements {
                if !isFirst { form.write(UInt8(ascii: ",")) }
                isFirst = false
                if isQuoted { form.write(UInt8(ascii: "\"")) }
                form.write(contents.bytes.span.extracting(text(element)))
                if isQuoted { form.write(UInt8(ascii: "\"")) }
            }
            form.write(UInt8(ascii: "]"))
        }
    }
}
