// SPDX-License-Identifier: Apache-2.0

/// What a template's variable may hold.
///
/// Source: api 7.3.
package enum VariableAttribute: String, CaseIterable, Sendable {
    case numberCaptcha
    case characterWithNumber2
    case verifyTime
    case time
    case money
    case phoneNumber2 = "phone_number2"
    case otherNumber2 = "other_number2"
    case name
    case userNick = "user_nick"
    case unitName = "unit_name"
    case address
    case licensePlateNumber = "license_plate_number"
    case trackingNumber = "tracking_number"
    case pickUpCode = "pick_up_code"
    case linkParameter = "link_param"
    case emailAddress = "email_address"
    case others

    /// Whether a value fits.
    package func allows(_ value: String) -> Bool {
        let scalars = value.unicodeScalars
        let count = scalars.count
        switch self {
        case .numberCaptcha: return (4...6).contains(count) && scalars.allSatisfy(Self.isDigit)
        case .characterWithNumber2: return (4...6).contains(count) && scalars.allSatisfy(Self.isLetterOrDigit)
        case .verifyTime: return (1...2).contains(count) && scalars.allSatisfy(Self.isDigit)
        case .time: return !scalars.contains("_") && !scalars.contains("[") && scalars.contains(where: Self.isDigit)
        case .money: return Self.isAmount(value)
        case .phoneNumber2: return (3...15).contains(count) && scalars.allSatisfy { Self.isDigit($0) || $0 == "-" }
        case .otherNumber2: return (1...35).contains(count) && scalars.allSatisfy(Self.isLetterOrDigit)
        case .name: return (2...5).contains(count) && scalars.allSatisfy(Self.isChinese)
        case .userNick: return (1...20).contains(count)
        case .unitName: return (1...20).contains(count) && scalars.allSatisfy(Self.isChinese)
        case .address: return (1...30).contains(count)
        case .licensePlateNumber: return (1...10).contains(count)
        case .trackingNumber: return (8...16).contains(count) && scalars.allSatisfy(Self.isLetterOrDigit)
        case .pickUpCode: return (4...8).contains(count)
        case .linkParameter: return (1...8).contains(count) && scalars.allSatisfy(Self.isLetterOrDigit)
        case .emailAddress: return (7...30).contains(count) && scalars.contains("@")
        case .others: return (1...35).contains(count)
        }
    }

    private static func isAmount(_ value: String) -> Bool {
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { !$0.isEmpty && $0.unicodeScalars.allSatisfy(isDigit) }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        isDigit(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func isChinese(_ scalar: Unicode.Scalar) -> Bool { (0x4E00...0x9FFF).contains(scalar.value) }
}
