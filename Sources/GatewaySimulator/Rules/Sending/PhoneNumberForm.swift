// SPDX-License-Identifier: Apache-2.0

/// A phone number as the service reads it: which digits count, and whether it is a mainland number.
///
/// Source: api 3.1: mainland numbers have 11 digits, optionally after `+`, `+86`, `0086` or `86`; others a country code and a
/// number. Eleven digits that begin with 1 may be mainland or North American: the template's kind decides.
struct PhoneNumberForm: Equatable, Sendable {
    /// Where the digits stand without a mainland prefix or a plus sign: the normal form.
    var digits: Range<Int>
    /// Whether it is a mainland number.
    var isMainland: Bool

    /// Reads a number; `nil` for text that is no phone number.
    ///
    /// - Parameters:
    ///   - bytes: Hold the number.
    ///   - range: Where it stands.
    ///   - isForInternationalTemplate: Whether the template is an international one.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>, isForInternationalTemplate: Bool) {
        var start = range.lowerBound
        if start < range.upperBound, bytes[start] == UInt8(ascii: "+") { start += 1 }
        let count = range.upperBound - start
        for index in start..<range.upperBound
        where bytes[index] < UInt8(ascii: "0") || bytes[index] > UInt8(ascii: "9") {
            return nil
        }
        // 86 or 0086 before a mainland number.
        let hasZeros = count == 15 && bytes[start] == UInt8(ascii: "0") && bytes[start + 1] == UInt8(ascii: "0")
        let prefix = hasZeros ? start + 2 : start
        if range.upperBound - prefix == 13, bytes[prefix] == UInt8(ascii: "8"), bytes[prefix + 1] == UInt8(ascii: "6"),
            bytes[prefix + 2] == UInt8(ascii: "1")
        {
            digits = (prefix + 2)..<range.upperBound
            isMainland = true
            return
        }
        guard (7...15).contains(count), bytes[start] != UInt8(ascii: "0") else { return nil }
        digits = start..<range.upperBound
        isMainland = count == 11 && bytes[start] == UInt8(ascii: "1") && !isForInternationalTemplate
    }

    /// The normal form of a number that someone wrote; `nil` for text that is no phone number.
    static func digits(of text: String) -> String? {
        let utf8 = text.utf8.span
        guard let form = PhoneNumberForm(utf8, 0..<utf8.count, isForInternationalTemplate: false) else { return nil }
        var digits = ""
        for index in form.digits { digits.unicodeScalars.append(Unicode.Scalar(utf8[index])) }
        return digits
    }
}
