// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import Testing

struct PhoneNumberTests {
    static func read(_ text: String) -> PhoneNumber? {
        let bytes = Array(text.utf8)
        return PhoneNumber(bytes.span, 0..<bytes.count)
    }

    @Test(arguments: ["13900001234", "+13900001234", "8613900001234", "+8613900001234", "008613900001234"])
    func `all spellings of a mainland number are one number`(text: String) {
        #expect(Self.read(text)?.key == 13_900_001_234)
        #expect(Self.read(text)?.isInternational == false)
    }

    @Test(arguments: [
        "85200000000", "+85200000000", "1390000123", "139000012345", "23900001234", "8523900001234", "10", "0",
        "861390000123", "86139000012345", "08613900001234", "0000013900001234",
    ])
    func `what is not of the mainland's form is international`(text: String) {
        #expect(Self.read(text)?.isInternational == true)
    }

    @Test func `an international number is one with and without its prefix`() {
        #expect(Self.read("85212345678")?.key == Self.read("+85212345678")?.key)
        #expect(Self.read("85212345678")?.key != Self.read("85212345679")?.key)
    }

    @Test(arguments: [
        "", "+", "++139", "139+", "139 0000 1234", " 13900001234", "13900001234 ", "139-0000-1234", "１３９", "abc", "1e5",
        "-1", "1.5", "0x10", "1234567890123456789012345", "13900001234\0",
    ])
    func `refuses what is not digits with an optional plus`(text: String) {
        #expect(Self.read(text) == nil)
    }
}
