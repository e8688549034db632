// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct EncodedParametersTests {
    @Test func `joins encoded names and values and knows where they stand`() {
        var parameters = EncodedParameters()
        parameters.append("OutId", "批 1")
        parameters.append("PhoneNumberJson") { $0.append(contentsOf: "%5B%5D".utf8) }
        parameters.append("SignName", "")
        #expect(text(parameters.bytes) == "OutId=%E6%89%B9%201&PhoneNumberJson=%5B%5D&SignName=")
        let pairs = parameters.entries.map { entry in
            [text(Array(parameters.bytes[entry.name])), text(Array(parameters.bytes[entry.value]))]
        }
        #expect(pairs == [["OutId", "%E6%89%B9%201"], ["PhoneNumberJson", "%5B%5D"], ["SignName", ""]])
    }

    @Test func `merges to what appending in order gives`() {
        let names = ["A", "B", "C", "D"]
        for mask in 0..<16 {
            var own = EncodedParameters()
            var others = EncodedParameters()
            var all = EncodedParameters()
            for (index, name) in names.enumerated() {
                all.append(name, "value of \(name)")
                if mask & 1 << index == 0 {
                    own.append(name, "value of \(name)")
                } else {
                    others.append(name, "value of \(name)")
                }
            }
            #expect(own.merging(others) == all)
        }
    }

    @Test func `is empty again after removing all`() {
        var parameters = EncodedParameters()
        parameters.append("B", "1")
        parameters.removeAll()
        #expect(parameters.isEmpty && parameters.bytes.isEmpty)
        parameters.append("A", "2")
        #expect(text(parameters.bytes) == "A=2")
    }

    @Test(arguments: ["A", "B"])
    func `traps when a name does not follow the one before`(_ name: String) async {
        await #expect(processExitsWith: .failure) { [name] in
            var parameters = EncodedParameters()
            parameters.append("B", "1")
            parameters.append(name, "2")
        }
    }
}
