// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe

/// What is said about a run that stopped sending: one sentence on what happened, one on what to do.
struct StopText {
    /// The text; `nil` where the exit status says it all, as after a signal.
    let text: String?

    init(_ stop: StopReason, endpoint: String) {
        switch stop {
        case .credentials(let answer), .account(let answer):
            let entry = CodeTable.entry(for: answer.code)
            let request = answer.requestID.map { " (RequestId \($0))" } ?? ""
            let meaning = answer.code == "SignatureDoesNotMatch" ? answer.message : entry.meaning
            text = "stopped sending: \(answer.code)\(request): \(meaning) \(entry.remedy)"
        case .unreachable(.certificate(let why)):
            text =
                "stopped sending: the certificate of \(endpoint) was refused: \(why); check --endpoint and --ca-file."
        case .unreachable(let reason):
            text = "stopped sending: \(endpoint): \(reason.text); check --endpoint, the network and HTTPS_PROXY."
        case .storage(let what):
            text = """
                stopped sending: \(what); make room or mend it, then run again with the same journal, or with what was \
                not answered.
                """
        case .signal, .outputClosed:
            text = nil
        }
    }
}
