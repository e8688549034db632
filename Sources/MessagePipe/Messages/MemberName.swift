// SPDX-License-Identifier: Apache-2.0

/// The members of an input object that have a meaning here.
enum MemberName: UInt8 {
    case phoneNumber, signName, templateCode, templateParameters, extensionCode, outID, id
    /// One of the members that a response line adds.
    case ofResponse

    /// The name that stands at a range, without escapes; `nil` for a member that is passed through.
    init?(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
        let candidate: (StaticString, MemberName)
        // Length and first byte single out one candidate.
        switch (range.count, range.isEmpty ? 0 : bytes[range.lowerBound]) {
        case (2, UInt8(ascii: "I")): candidate = ("Id", .id)
        case (4, UInt8(ascii: "C")): candidate = ("Code", .ofResponse)
        case (5, UInt8(ascii: "O")): candidate = ("OutId", .outID)
        case (5, UInt8(ascii: "B")): candidate = ("BizId", .ofResponse)
        case (7, UInt8(ascii: "O")): candidate = ("Outcome", .ofResponse)
        case (7, UInt8(ascii: "M")): candidate = ("Message", .ofResponse)
        case (7, UInt8(ascii: "B")): candidate = ("BatchId", .ofResponse)
        case (8, UInt8(ascii: "S")):
            let isSignName = bytes[range.lowerBound + 1] == UInt8(ascii: "i")
            candidate = isSignName ? ("SignName", .signName) : ("SendDate", .ofResponse)
        case (9, UInt8(ascii: "R")): candidate = ("RequestId", .ofResponse)
        case (11, UInt8(ascii: "P")): candidate = ("PhoneNumber", .phoneNumber)
        case (12, UInt8(ascii: "T")): candidate = ("TemplateCode", .templateCode)
        case (13, UInt8(ascii: "T")): candidate = ("TemplateParam", .templateParameters)
        case (15, UInt8(ascii: "S")): candidate = ("SmsUpExtendCode", .extensionCode)
        default: return nil
        }
        let (name, member) = candidate
        guard bytes.equals(name, at: range.lowerBound) else { return nil }
        self = member
    }

    var isOfResponse: Bool { self == .ofResponse }

    var text: MessageFault.StaticName {
        switch self {
        case .phoneNumber: "PhoneNumber"
        case .signName: "SignName"
        case .templateCode: "TemplateCode"
        case .templateParameters: "TemplateParam"
        case .extensionCode: "SmsUpExtendCode"
        case .outID: "OutId"
        case .id: "Id"
        case .ofResponse: "of a response"
        }
    }
}

/// Where the members that have a meaning stand in one object.
struct FoundMembers {
    /// How many blanks stand before the object.
    var braceOffset = 0
    private var indices = InlineArray<7, Int32>(repeating: -1)
    /// The first member of ours that stands twice.
    private(set) var duplicate: MessageFault.StaticName?
    /// How many members come from an earlier response.
    private(set) var responseMembers = 0

    /// The index of a member among the object's members, `nil` if it is absent.
    subscript(name: MemberName) -> Int? {
        @inline(__always) get {
            let index = indices[Int(name.rawValue)]
            return index < 0 ? nil : Int(index)
        }
    }

    /// Notes the next member of the object.
    mutating func note(_ name: MemberName?, at index: Int) {
        guard let name else { return }
        guard !name.isOfResponse else {
            responseMembers += 1
            return
        }
        if indices[Int(name.rawValue)] >= 0, duplicate == nil { duplicate = name.text }
        indices[Int(name.rawValue)] = Int32(truncatingIfNeeded: index)
    }
}
