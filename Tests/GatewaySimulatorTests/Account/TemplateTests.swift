// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator
import Testing

@Suite struct TemplateTests {
    /// Values that fit an attribute and values that do not.
    ///
    /// Source: api 7.3.
    static let values: [(VariableAttribute, fitting: [String], others: [String])] = [
        (.numberCaptcha, ["1234", "123456"], ["123", "1234567", "12a4", ""]),
        (.characterWithNumber2, ["ab12", "ABCDEF"], ["abc", "abcdefg", "码1234"]),
        (.verifyTime, ["5", "15"], ["", "100", "five"]),
        (.time, ["2024-03-01", "08:00", "2024/03/01"], ["tomorrow", "2024_03_01", "[2024]"]),
        (.money, ["10", "10.50"], ["ten", "10.", "1.2.3", "¥10"]),
        (.phoneNumber2, ["15000000000", "010-12345678"], ["12", "phone"]),
        (.otherNumber2, ["A123"], ["", "A-1", "订单"]),
        (.name, ["张三", "欧阳震华"], ["张", "Bob", "一二三四五六"]),
        (.userNick, ["Bob"], ["", "123456789012345678901"]),
        (.unitName, ["某某公司"], ["ACME"]),
        (.address, ["杭州市"], [""]),
        (.licensePlateNumber, ["浙A12345"], ["浙A1234567890"]),
        (.trackingNumber, ["SF12345678"], ["SF1", "SF1234567890123456"]),
        (.pickUpCode, ["1-2-3456"], ["123", "123456789"]),
        (.linkParameter, ["abc123"], ["", "abc-123", "123456789"]),
        (.emailAddress, ["a@b.com"], ["a@b", "no at sign"]),
        (.others, ["x"], ["", "123456789012345678901234567890123456"]),
    ]

    @Test func `knows every attribute by values`() {
        #expect(Set(Self.values.map(\.0)) == Set(VariableAttribute.allCases))
        for (attribute, fitting, others) in Self.values {
            for value in fitting { #expect(attribute.allows(value), "\(attribute) should allow “\(value)”") }
            for value in others { #expect(!attribute.allows(value), "\(attribute) should not allow “\(value)”") }
        }
    }

    @Test func `finds variables and puts values in their place`() {
        let template = Template(name: "t", content: "${a}和${b}，${a}${", kind: .notice)
        #expect(template.variables == ["a", "b"])
        #expect(template.rendered(with: [("a", "1"), ("b", "${a}")]) == "1和${a}，1${")
        #expect(template.rendered(with: []) == "${a}和${b}，${a}${")
    }
}
