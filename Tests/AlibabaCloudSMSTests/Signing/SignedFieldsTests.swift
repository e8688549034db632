// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct SignedFieldsTests {
    @Test func `writes fields as they travel and as they are signed`() {
        var fields = signedFields(["content-type": "a/b", "host": "localhost", "x-acs-date": "now"])
        #expect(text(fields.lines) == "host: localhost\r\ncontent-type: a/b\r\nx-acs-date: now\r\n")
        #expect(text(fields.canonical) == "content-type:a/b\nhost:localhost\nx-acs-date:now\n")
        #expect(text(fields.names) == "content-type;host;x-acs-date")
        fields.removeAll()
        fields.append("accept", "")
        #expect(text(fields.lines + fields.canonical + fields.names) == "accept: \r\naccept:\naccept")
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
