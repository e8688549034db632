// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GatewaySimulator
import Testing

@Suite struct AccountFileTests {
    @Test func `reads the example account`() throws {
        let path = URL(filePath: #filePath).appending(path: "../../../../examples/account.json").standardized
        let account = try SimulatedAccount(file: Array(Data(contentsOf: path)))
        #expect(account.accessKeys.count == 4)
        #expect(account.templates?["SMS_71175823"]?.variables == ["code"])
        #expect(account.numbers["13800000003"]?.outcome == .failed("MOBILE_NOT_ON_SERVICE"))
        #expect(account.numberLimits == .service)
    }

    @Test func `describes its form by a schema that is JSON`() {
        let schema = jsonObject(AccountFileSchema.text.utf8)
        #expect((schema?["properties"] as? [String: Any])?.count == 12)
    }

    private static let key = #""accessKeys":[{"id":"a","secret":"b"}]"#

    @Test(arguments: [
        ("", "the file is no JSON: byte 0: expected a value"),
        ("[]", "must be an object"),
        ("{}", "accessKeys: must hold at least one {\"id\":…,\"secret\":…}"),
        (#"{"accessKeys":[{"id":"a"}]}"#, "accessKeys[0].secret: is missing or empty"),
        (#"{"accessKeys":[{"id":"a","secret":"b"},{"id":"a","secret":"b"}]}"#, "accessKeys[1].id: “a” stands twice"),
        (
            #"{"accessKeys":[{"id":"a","secret":"b","state":"on"}]}"#,
            "accessKeys[0].state: “on” is none of active, disabled, unauthorized"
        ),
        ("{\(key),\"balance\":-1}", "balance: must be a whole number, not below 0"),
        ("{\(key),\"templates\":[{\"code\":\"SMS_1\",\"content\":\"x\"}]}", "templates[0].kind: is missing"),
        (
            "{\(key),\"templates\":[{\"code\":\"SMS_1\",\"content\":\"x\",\"kind\":\"code\",\"variables\":{\"y\":\"money\"}}]}",
            "templates[0].variables.y: the content has no ${y}"
        ),
        ("{\(key),\"numbers\":[{\"number\":\"abc\"}]}", "numbers[0].number: “abc” is no phone number"),
        (
            "{\(key),\"numbers\":[{\"number\":\"15000000000\"},{\"number\":\"+8615000000000\"}]}",
            "numbers[1].number: “+8615000000000” stands twice"
        ),
        (
            "{\(key),\"numbers\":[{\"number\":\"13800000001\",\"outcome\":\"lost\"}]}",
            "numbers[0].outcome: must be delivered, silent, or failed:CODE"
        ),
        (
            "{\(key),\"colour\":1}",
            "colour: there is no such member; there are accessKeys, standing, signNames, templates, balance, dayCap, monthCap, "
                + "extensionCodeCap, numbers, numberLimits, forbiddenWords, promotionWords"
        ),
    ])
    func `says where a file is wrong`(text: String, error: String) throws {
        let thrown = #expect(throws: AccountFileError.self) { try SimulatedAccount(file: Array(text.utf8)) }
        #expect(try #require(thrown).description == error)
    }
}
