// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import Testing

struct SendDetailsTests {
    static let record = SendDetails.Record(
        phoneNumber: "15000000000",
        status: .delivered,
        templateCode: "SMS_0000",
        outID: "批次-1",
        sendDate: "2024-03-01 16:00:05",
        receiveDate: "2024-03-01 16:00:09",
        errorCode: "DELIVERED",
    )

    static func body(totalCount: String = "1", records: String) -> String {
        """
        {"TotalCount":\(totalCount),"Message":"OK","SmsSendDetailDTOs":\(records),"RequestId":"819B","Code":"OK"}
        """
    }

    func decode(_ body: String, status: Int = 200) throws -> SendDetailsDecoder.Result {
        try SendDetailsDecoder.decode(status: status, body: body.utf8.span)
    }

    @Test(arguments: ["1", "\"1\""])
    func `reads the records of an answer`(_ totalCount: String) throws {
        let records = """
            {"SmsSendDetailDTO":[{"ErrCode":"DELIVERED","TemplateCode":"SMS_0000","OutId":"\\u6279次-1",
            "ReceiveDate":"2024-03-01 16:00:09","SendDate":"2024-03-01 16:00:05","PhoneNum":"15000000000",
            "Content":"【Acme】 1234","SendStatus":3,"New":[]}]}
            """
        let result = try decode(Self.body(totalCount: totalCount, records: records))
        #expect(result == .details(SendDetails(totalCount: 1, records: [Self.record])))
    }

    @Test(arguments: [
        ("1", SendDetails.Status.waiting), ("2", .failed), ("3", .delivered), ("\"3\"", .delivered), ("4", nil),
        ("null", nil), ("1.5", nil),
    ])
    func `reads the status of a message`(_ status: String, _ expected: SendDetails.Status?) throws {
        let records = "{\"SmsSendDetailDTO\":[{\"PhoneNum\":\"1\",\"SendStatus\":\(status),\"OutId\":\"\"}]}"
        let record = SendDetails.Record(phoneNumber: "1", status: expected)
        #expect(try decode(Self.body(records: records)) == .details(SendDetails(totalCount: 1, records: [record])))
    }

    @Test(arguments: ["{}", "null", "{\"SmsSendDetailDTO\":[]}", "{\"SmsSendDetailDTO\":null}"])
    func `reads an answer without records`(_ records: String) throws {
        let result = try decode(Self.body(totalCount: "0", records: records))
        #expect(result == .details(SendDetails(totalCount: 0, records: [])))
    }

    @Test(arguments: [
        "[]", "1", #"{"SmsSendDetailDTO":{}}"#, #"{"SmsSendDetailDTO":[1]}"#, #"{"SmsSendDetailDTO":[null]}"#,
    ])
    func `finds a malformed list unreadable`(_ records: String) {
        #expect(throws: UnreadableAnswer.self) { try decode(Self.body(records: records)) }
    }

    @Test func `passes a refusal on`() throws {
        let result = try decode(#"{"Code":"isv.INVALID_PARAMETERS","Message":"m"}"#)
        #expect(result == .refused(Answer(codeClass: .batch, code: "isv.INVALID_PARAMETERS", message: "m")))
    }

    @Test(arguments: [
        ("批次-1", "SMS_0000", nil, true),
        ("批次-2", "SMS_0000", nil, false),
        ("批次-1", "SMS_0001", nil, false),
        ("批次-1", "SMS_0000", 1_709_280_005...1_709_280_005, true),
        ("批次-1", "SMS_0000", 1_709_280_006...1_709_280_020, false),
        ("批次-1", "SMS_0000", 1_709_280_001...1_709_280_004, false),
    ])
    func `knows a request by its OutId, its template and its time`(
        _ outID: String,
        _ templateCode: String,
        _ times: ClosedRange<Int>?,
        _ expected: Bool,
    ) {
        let details = SendDetails(totalCount: 1, records: [Self.record])
        #expect(details.hasMessage(outID: outID, templateCode: templateCode, sentWithin: times) == expected)
    }

    @Test func `does not take a record without a time for a later request`() {
        var record = Self.record
        record.sendDate = nil
        let details = SendDetails(totalCount: 1, records: [record])
        #expect(!details.hasMessage(outID: "批次-1", templateCode: "SMS_0000", sentWithin: 0...Int.max))
        #expect(details.hasMessage(outID: "批次-1", templateCode: "SMS_0000"))
    }

    @Test func `takes OutIds that only look alike for two`() {
        var record = Self.record
        record.outID = "caf\u{E9}"
        let details = SendDetails(totalCount: 1, records: [record])
        #expect(details.hasMessage(outID: "caf\u{E9}", templateCode: "SMS_0000"))
        #expect(!details.hasMessage(outID: "cafe\u{301}", templateCode: "SMS_0000"))
    }

    @Test func `asks with every parameter in the query`() throws {
        let vector = try #require(SigningVectors.allV3.first { $0.id == "v3-09" })
        let value = { (name: String) in try #require(vector.queryParams[name]) }
        let call = Call.querySendDetails(
            phoneNumber: try value("PhoneNumber").utf8.span,
            sendDate: try value("SendDate").utf8.span,
            bizID: try value("BizId"),
            page: try #require(Int(try value("CurrentPage"))),
            pageSize: try #require(Int(try value("PageSize"))),
        )
        #expect(text(call.query.bytes) == vector.canonicalQuery)
        #expect(call.form.isEmpty && call.action == .querySendDetails && call.method == .post)
    }
}
