// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct SignedFieldsTests {
    @Test func `writes fields as they travel and as they are signed`() {
        let fields = signedFields(["content-type": "a/b", "host": "localhost", "x-acs-date": "now"])
        #expect(text(fields.hostLine) == "host: localhost\r\n")
        #expect(text(fields.lines) == "content-type: a/b\r\nx-acs-date: now\r\n")
        #expect(text(fields.canonical) == "content-type:a/b\nhost:localhost\nx-acs-date:now\n")
        #expect(text(fields.names) == "content-type;host;x-acs-date")
    }

    @Test func `replaces values of the same length`() {
        var fields = SignedFields()
        fields.append("a", "first")
        let place = fields.append("b", "second".utf8.span)
        fields.append("host", "localhost")
        let empty = fields.append("x", "".utf8.span)
        fields.replace(place, with: "SECOND".utf8.span)
        fields.replace(empty, with: "".utf8.span)
        #expect(text(fields.lines) == "a: first\r\nb: SECOND\r\nx: \r\n")
        #expect(text(fields.canonical) == "a:first\nb:SECOND\nhost:localhost\nx:\n")
    }

    @Test func `traps when a value of another length is to replace one`() async {
        await #expect(processExitsWith: .failure) {
            var fields = SignedFields()
            let place = fields.append("b", "1".utf8.span)
            fields.replace(place, with: "12".utf8.span)
        }
    }

    @Test(arguments: ["a", "b"])
    func `traps when a name does not follow the one before`(_ name: String) async {
        await #expect(processExitsWith: .failure) { [name] in
            var fields = SignedFields()
            fields.append("b", "1")
            fields.append(name, "2")
        }
    }
}
