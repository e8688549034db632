// SPDX-License-Identifier: Apache-2.0

/// The phone numbers of the default account that fail on purpose.
///
/// They stand in a block that no operator has given out (1 999 900 …), so no generated test number falls on them by chance.
package enum MagicNumbers {
    /// What a magic number does, in the words of the help.
    package struct Entry: Equatable, Sendable {
        /// The phone number.
        package var number: String
        /// What happens to a message to it.
        package var effect: String
        /// The state behind it.
        package var state: NumberState
    }

    /// All of them, in the order of the help.
    package static let all: [Entry] = [
        refused("19999000001", "isv.BUSINESS_LIMIT_CONTROL"),
        refused("19999000002", "isv.MOBILE_NUMBER_ILLEGAL"),
        refused("19999000003", "isv.BLACK_KEY_CONTROL_LIMIT"),
        refused("19999000004", "isv.TEMPLATE_MISSING_PARAMETERS"),
        refused("19999000005", "isv.TEMPLATE_PARAMS_ILLEGAL"),
        refused("19999000006", "isv.SMS_TEMPLATE_ILLEGAL"),
        refused("19999000007", "isv.SMS_SIGNATURE_ILLEGAL"),
        refused("19999000008", "isv.AMOUNT_NOT_ENOUGH"),
        refused("19999000009", "isv.OUT_OF_SERVICE"),
        refused("19999000010", "isp.RAM_PERMISSION_DENY"),
        refused("19999000011", "isp.SYSTEM_ERROR"),
        refused("19999000012", "isv.DAY_LIMIT_CONTROL"),
        reported("19999001001", .failed("MOBILE_NOT_ON_SERVICE")),
        reported("19999001002", .failed("MOBILE_IN_BLACK")),
        reported("19999001003", .failed("CONTENT_KEYWORD")),
        reported("19999001004", .silent),
        late("19999001005", .seconds(30)),
    ]

    /// The states by number.
    static let states = Dictionary(uniqueKeysWithValues: all.map { ($0.number, $0.state) })

    private static func refused(_ number: String, _ code: String) -> Entry {
        var state = NumberState()
        state.refusal = code
        return Entry(number: number, effect: "refused with \(code)", state: state)
    }

    private static func reported(_ number: String, _ outcome: NumberState.Outcome) -> Entry {
        var state = NumberState()
        state.outcome = outcome
        let effect =
            switch outcome {
            case .delivered: "taken, reported as delivered"
            case .failed(let code): "taken, reported as failed with \(code)"
            case .silent: "taken, never reported"
            }
        return Entry(number: number, effect: effect, state: state)
    }

    private static func late(_ number: String, _ delay: Duration) -> Entry {
        var state = NumberState()
        state.reportDelay = delay
        return Entry(number: number, effect: "taken, reported as delivered after 30s", state: state)
    }
}
