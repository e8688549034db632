// SPDX-License-Identifier: Apache-2.0

import GatewaySimulator

extension SimulatedAnswer {
    /// The JSON object of the body; empty for a body that is none.
    var json: [String: Any] {
        jsonObject(body) ?? [:]
    }

    /// A member of the JSON object that is a string.
    func member(_ name: String) -> String? { json[name] as? String }

    /// A header's value.
    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }

    /// The details of an answer to QuerySendDetails.
    var details: [[String: Any]] {
        (json["SmsSendDetailDTOs"] as? [String: Any])?["SmsSendDetailDTO"] as? [[String: Any]] ?? []
    }
}
