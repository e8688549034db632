// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe

/// What is said about a run that stopped sending, or asking: one sentence on what happened, one on what to do.
struct StopText {
    /// The text; `nil` where the exit status says it all, as after a signal.
    let text: String?

    /// - Parameters:
    ///   - stop: Why the run stopped.
    ///   - endpoint: Where its requests went.
    ///   - sends: Whether it was one that sends; else it asked what became of messages.
    init(_ stop: StopReason, endpoint: String, sends: Bool = true) {
        let stopped = sends ? "stopped sending" : "stopped asking"
        switch stop {
        case .credentials(let answer), .account(let answer):
            let entry = CodeTable.entry(for: answer.code)
            let request = answer.requestID.map { " (RequestId \($0))" } ?? ""
            if CodeTable.isKnown(answer.code) {
                let meaning = answer.code == "SignatureDoesNotMatch" ? answer.message : entry.meaning
                text = "\(stopped): \(answer.code)\(request): \(meaning) \(entry.remedy)"
            } else {
                text = """
                    \(stopped): \(answer.code)\(request): two requests in a row were refused with codes that smspipe does not \
                    know, and nothing of them was sent. Mend what the Message of their lines names, then send these again.
                    """
            }
        case .unreachable(.certificate(let why)):
            text =
                "\(stopped): the certificate of \(endpoint) was refused: \(why); check --endpoint and --ca-file."
        case .unreachable(let reason):
            // The proxy of the environment is one for https.
            let suspects =
                endpoint.hasPrefix("https:") ? "--endpoint, the network and HTTPS_PROXY" : "--endpoint and the network"
            text = "\(stopped): \(endpoint): \(reason.text); check \(suspects)."
        case .outputFailed(let what):
            text = "\(stopped): \(what); make room or mend it, then run again\(sends ? " with the same journal" : "")."
        case .journalFailed(let what):
            text = "\(stopped): \(what); make room or mend it, then run again with the same journal."
        case .signal, .outputClosed:
            text = nil
        }
    }
}
