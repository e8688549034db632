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
    ///   - contents: Room for where their texts stand, used again from one call to the next.
    /// - Complexity: O(*n*) in the messages' bytes.
    package mutating func assignSendBatchSms(
        _ id: RequestID,
        of engine: borrowing Engine,
        contents: inout RequestContents,
    ) {
        let head = engine.head(of: id)
        engine.gather(id, into: &contents)
        action = .sendBatchSms
        method = .post
        query.removeAll()
        query.append("OutId", head.outID.span)
        query.append("TemplateCode", head.templateCode.span)
        form.removeAll()
        form.append("PhoneNumberJson") { form in
            Self.appendArray(of: contents, engine, { $0.phoneNumber }, isQuoted: true, to: &form)
        }
        form.append("SignNameJson") { form in
            Self.appendArray(of: contents, engine, { $0.signName }, to: &form)
        }
        if head.hasExtensionCode {
            form.append("SmsUpExtendCodeJson") { form in
                Self.appendArray(of: contents, engine, { $0.extensionCode }, to: &form)
            }
        }
        if head.hasParameters {
            form.append("TemplateParamJson") { form in
                Self.appendArray(of: contents, engine, { $0.templateParameters }, to: &form)
            }
        }
    }

    /// Appends a JSON array with one element for each message, percent-encoded.
    ///
    /// - Parameters:
    ///   - contents: Where the messages' texts stand.
    ///   - engine: Holds them.
    ///   - text: Where a message has the element's text.
    ///   - isQuoted: Whether the text is to be put into quotes; else it is JSON already.
    ///   - form: Where the array goes.
    @inline(__always)
    private static func appendArray(
        of contents: borrowing RequestContents,
        _ engine: borrowing Engine,
        _ text: (RequestContents.Element) -> ByteRange,
        isQuoted: Bool = false,
        to form: inout [UInt8],
    ) {
        let elements = contents.elements.span
        var byteCount = 2
        for index in elements.indices { byteCount += Int(text(elements[index]).count) + 3 }
        PercentEncoding.append(rawBytes: byteCount, to: &form) { form in
            form.write(UInt8(ascii: "["))
            for run in contents.runs {
                engine.withBytes(of: run) { bytes, rewritten in
                    for index in run.elements {
                        let range = text(elements[index])
                        if index > 0 { form.write(UInt8(ascii: ",")) }
                        if isQuoted { form.write(UInt8(ascii: "\"")) }
                        form.write((range.isRewritten ? rewritten : bytes).extracting(range.indices))
                        if isQuoted { form.write(UInt8(ascii: "\"")) }
                    }
                }
            }
            form.write(UInt8(ascii: "]"))
        }
    }
}
