// SPDX-License-Identifier: Apache-2.0

/// Why the gateway found that a signature does not match.
///
/// Its refusal names the string that it would have signed. If that is the string that we signed, only the secret can
/// differ. The text of such a refusal carries phone numbers and template values: it must not be shown.
package enum SignatureDiagnosis: Equatable, Sendable {
    /// Both sides signed the same text, so the access key secret is wrong.
    case secretDiffers
    /// The sides signed different texts: something between us and the gateway changed the request, or our encoding is
    /// wrong.
    case textDiffers
    /// The refusal does not name what the gateway signed.
    case unknown

    /// Compares a refusal with the request that it answers.
    ///
    /// - Parameters:
    ///   - message: The refusal's text.
    ///   - evidence: What the refused signature was made of; without it nothing can be compared.
    /// - Complexity: O(*n*) in the message.
    package init(message: String, evidence: SignedRequest.Evidence?) {
        guard let evidence else {
            self = .unknown
            return
        }
        var signed: [UInt8] = []
        switch evidence {
        // V3's digest is looked for alone: how the line feed before it is written in the message is not known.
        case .v3(let hash): hash.appendHexadecimal(to: &signed)
        case .v1: signed = evidence.stringToSign
        case .queue:
            self = .unknown
            return
        }
        let message = Array(message.utf8)
        if Self.contains(message, signed) {
            self = .secretDiffers
        } else if Self.contains(message, Array("server string to sign".utf8))
            || Self.contains(message, Array("server StringToSign".utf8))
        {
            self = .textDiffers
        } else {
            self = .unknown
        }
    }

    /// The finding as a text to show in place of the refusal's own.
    package var explanation: String {
        switch self {
        case .secretDiffers:
            "The gateway computed another signature from the same text: the secret is not that of the access key id."
        case .textDiffers:
            "The gateway computed another signature from another text: the request was changed on its way."
        case .unknown:
            "The gateway computed another signature: the secret is wrong, or the request was changed on its way."
        }
    }

    /// Whether a text holds another one, byte for byte.
    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first, text.count >= part.count else { return false }
        return (0...text.count - part.count).contains { start in
            text[start] == first && text[start..<start + part.count].elementsEqual(part)
        }
    }
}
