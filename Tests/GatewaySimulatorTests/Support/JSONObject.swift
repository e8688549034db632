// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The members of a text that is a JSON object, read by somebody else's decoder; `nil` if it is none.
func jsonObject(_ text: some Sequence<UInt8>) -> [String: Any]? {
    (try? JSONDecoder().decode(AnyJSON.self, from: Data(text)))?.value as? [String: Any]
}

/// Any JSON value, as what Swift has for it; null is left out of arrays and objects.
private struct AnyJSON: Decodable {
    let value: Any?

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            value = nil
        } else if let flag = try? container.decode(Bool.self) {
            value = flag
        } else if let number = try? container.decode(Int.self) {
            value = number
        } else if let number = try? container.decode(Double.self) {
            value = number
        } else if let text = try? container.decode(String.self) {
            value = text
        } else if let values = try? container.decode([AnyJSON].self) {
            value = values.compactMap(\.value)
        } else {
            value = try container.decode([String: AnyJSON].self).compactMapValues(\.value)
        }
    }
}
