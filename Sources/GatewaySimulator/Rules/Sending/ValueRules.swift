// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// What the values of a message may hold.
struct ValueRules: Sendable {
    /// The outcome for the values of one message.
    struct Finding: Sendable {
        /// The hash of the values, whatever the order of their names.
        var hash: UInt64 = 0
        /// Why the message cannot go; `nil` if it can.
        var refusal: Refusal?
    }

    /// The template, if the account knows it.
    private let template: Template?
    private let variables: [String]
    private let forbiddenWords: [String]
    /// Texts that make a notice a promotion; empty for other templates.
    private let promotionWords: [String]
    private let maximumCharacters: Int
    private var members: [JSONMember] = []

    /// Creates the rules of a template in an account.
    init(template: Template?, account: SimulatedAccount) {
        self.template = template
        variables = template?.variables ?? []
        forbiddenWords = account.forbiddenWords
        promotionWords = template?.kind == .notice ? account.promotionWords : []
        maximumCharacters = template?.maximumValueCharacters ?? 35
    }

    /// Judges the values of one message.
    ///
    /// - Parameters:
    ///   - object: Where the JSON object stands; `nil` if the message brought none.
    ///   - bytes: Hold it.
    /// - Returns: What was found.
    mutating func judge(_ object: Range<Int>?, in bytes: Span<UInt8>) -> Finding {
        guard let object else {
            let isMissing = !variables.isEmpty
            return Finding(hash: 0, refusal: isMissing ? .service("isv.TEMPLATE_MISSING_PARAMETERS") : nil)
        }
        do throws(JSONError) {
            _ = try JSONScanner.scanObject(bytes, in: object, into: &members)
        } catch {
            let message = "TemplateParam is no JSON object: \(error.description)."
            return Finding(hash: ContentHash.of(bytes, object), refusal: .service("isv.INVALID_JSON_PARAM", message))
        }
        var finding = Finding(hash: 1, refusal: nil)
        for member in members {
            let name = ContentHash.of(bytes, member.name)
            let value = member.hasEscapes ? Self.decodedHash(bytes, member.value) : Self.plainHash(bytes, member)
            finding.hash &+= ContentHash.mix(name, value)
            if isBeyondDoubt(member, in: bytes) || finding.refusal != nil { continue }
            finding.refusal = refusal(for: member, in: bytes)
        }
        if finding.refusal == nil, !variables.isEmpty { finding.refusal = refusalForTemplate(in: bytes) }
        return finding
    }

    private static func decodedHash(_ bytes: Span<UInt8>, _ string: Range<Int>) -> UInt64 {
        let text = JSONText.decodeString(bytes, string)
        return ContentHash.of(text.span, 0..<text.count)
    }

    private static func plainHash(_ bytes: Span<UInt8>, _ member: JSONMember) -> UInt64 {
        ContentHash.of(bytes, member.kind == .string ? member.value.dropFirst().dropLast() : member.value)
    }

    // MARK: Rules for any template

    /// Whether a quick look shows that a value keeps the rules, as most do.
    private func isBeyondDoubt(_ member: JSONMember, in bytes: Span<UInt8>) -> Bool {
        guard member.kind == .string, forbiddenWords.isEmpty, promotionWords.isEmpty else { return false }
        let scan = ValueScan(bytes, member.value.dropFirst().dropLast())
        return scan.isPlain && scan.characterCount > 0 && scan.characterCount <= maximumCharacters
    }

    private func refusal(for member: JSONMember, in bytes: Span<UInt8>) -> Refusal? {
        guard member.kind == .string else { return .service("isv.INVALID_JSON_PARAM") }
        let maximum = maximumCharacters
        let text = String(decoding: JSONText.decodeString(bytes, member.value), as: UTF8.self)
        if text.isEmpty || text.unicodeScalars.count > maximum {
            return .service("isv.PARAM_LENGTH_LIMIT", "参数超过长度限制:\(maximum)")
        }
        if Self.holdsURL(text) { return .service("isv.PARAM_NOT_SUPPORT_URL") }
        if text.unicodeScalars.contains(where: UnsupportedContent.contains) {
            return .service("isv.UNSUPPORTED_CONTENT")
        }
        if forbiddenWords.contains(where: { text.contains($0) }) { return .service("isv.SMS_CONTENT_ILLEGAL") }
        if promotionWords.contains(where: { text.contains($0) }) {
            return .service("isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE")
        }
        return nil
    }

    /// Whether a value holds a URL, a host's name or its address.
    ///
    /// Source: api 3.1, "URLs, IPs"; api 6.3, "URL (or similar)". The service's own list of domains is not known.
    private static func holdsURL(_ text: String) -> Bool {
        let lower = text.lowercased()
        if ["http://", "https://", "www."].contains(where: { lower.contains($0) }) { return true }
        // An address of electronic mail has a host, too, but is none.
        let words = lower.split { !isOfHost($0) && $0 != "@" }
        return words.contains { !$0.contains("@") && isHost($0) }
    }

    private static func isOfHost(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "-" || character == ".")
    }

    private static func isHost(_ word: Substring) -> Bool {
        let labels = word.split(separator: ".", omittingEmptySubsequences: false)
        // Numbers with leading zeros are a date or an amount.
        if labels.count == 4, labels.allSatisfy({ UInt8($0).map(String.init) ?? "" == $0 }) { return true }
        guard labels.count > 1, !labels.contains(""), let last = labels.last else { return false }
        return ["com", "cn", "net", "org"].contains(last)
    }

    // MARK: Rules of a known template

    /// Every variable needs a value that fits it.
    private func refusalForTemplate(in bytes: Span<UInt8>) -> Refusal? {
        guard let template else { return nil }
        for variable in variables {
            let match = members.first { Self.name(of: $0, in: bytes) == variable }
            guard let match else { return .service("isv.TEMPLATE_MISSING_PARAMETERS") }
            let value = String(decoding: JSONText.decodeString(bytes, match.value), as: UTF8.self)
            if let refusal = refusal(for: value, of: variable, in: template) { return refusal }
        }
        return nil
    }

    private func refusal(for value: String, of variable: String, in template: Template) -> Refusal? {
        let scalars = value.unicodeScalars
        if template.isTest {
            let fits = VariableAttribute.numberCaptcha.allows(value)
            return fits ? nil : .service("isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL")
        }
        let attribute = template.attributes[variable]
        if template.kind == .code, attribute != .verifyTime {
            guard scalars.allSatisfy(VariableAttribute.isLetterOrDigit) else {
                return .service("isv.TEMPLATE_PARAMS_ILLEGAL", "params must be [a-zA-Z0-9] for verification sms")
            }
            guard (4...6).contains(scalars.count) else {
                return .service("isv.PARAM_LENGTH_LIMIT", "参数超过长度限制:6")
            }
        }
        guard let attribute, !attribute.allows(value) else { return nil }
        return .service("isv.TEMPLATE_PARAMS_ILLEGAL")
    }

    private static func name(of member: JSONMember, in bytes: Span<UInt8>) -> String {
        var name: [UInt8] = []
        JSONText.appendDecoded(bytes, member.name, to: &name)
        return String(decoding: name, as: UTF8.self)
    }
}

/// A quick look at a value that settles most of them.
struct ValueScan: Sendable {
    /// How many characters the value has, if it is plain.
    private(set) var characterCount = 0
    /// Whether the value is made of ASCII and common Chinese only, without anything that the rules would look at closely.
    private(set) var isPlain = true

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var index = range.lowerBound
        while index < range.upperBound, isPlain {
            let byte = bytes[index]
            if byte < 0x80 {
                isPlain = byte != UInt8(ascii: "\\") && byte != UInt8(ascii: ":") && byte != UInt8(ascii: ".")
                index += 1
            } else {
                isPlain = byte & 0xF0 == 0xE0 && Self.isCommon(bytes, at: index)
                index += 3
            }
            characterCount += 1
        }
    }

    /// Whether a character of three bytes is a simplified Chinese one or a comma, a full stop or another full-width sign.
    private static func isCommon(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        let scalar =
            UInt32(bytes[index] & 0x0F) << 12 | UInt32(bytes[index + 1] & 0x3F) << 6 | UInt32(bytes[index + 2] & 0x3F)
        if scalar >= 0x4E00 && scalar <= 0x9FFF { return !UnsupportedContent.isTraditional[Int(scalar - 0x4E00)] }
        return scalar == 0x3001 || scalar == 0x3002 || (scalar >= 0xFF01 && scalar <= 0xFF5E)
    }
}

/// Characters that carriers refuse.
///
/// Source: api 3.1, "emoji, traditional Chinese, 【】〖〗『』「」 m² • ①★※→ ❤™".
enum UnsupportedContent {
    private static let symbols = Set("【】〖〗『』「」²•①②③④⑤⑥⑦⑧⑨⑩★☆※→←↑↓❤™".unicodeScalars)
    /// Frequent characters that only traditional writing has; the service's own list is not known.
    private static let traditional = """
        愛礙罷備貝筆畢幣標別賓補參倉產長嘗車陳稱遲齒蟲處傳創從錯達帶單當黨導燈點電東動斷對隊頓爾發飯範飛費風婦復該蓋幹個鞏溝構購穀顧關觀館廣歸龜國過還漢號護華畫話懷壞歡環會機雞積極際繼價間檢見講將獎階節結緊\
        進驚經鏡舊舉據覺開課塊寬來蘭勞樂離禮歷麗聯連戀糧兩遼療靈領龍樓錄陸亂論羅馬買賣滿門們廟滅鳴難腦內擬鳥農盤齊氣錢強橋親輕請慶窮區權勸讓熱認榮軟賽傘殺傷設聲師時實試識適書術樹帥雙誰順說絲訴雖隨歲孫條聽廳頭\
        圖團萬網為衛問無務習戲細顯線鄉響項興選學訓壓亞煙陽養樣藥爺頁業葉億義藝憶陰銀飲應營優郵遊魚與語園員圓遠願約閱雲運雜災讚臟則澤賊戰張賬診鎮爭證織職執紙製質鐘種眾豬燭築莊裝壯狀準資總組鑽體驗臺灣現這
        """.unicodeScalars
    /// Whether a character of the block U+4E00…U+9FFF is one of those, by its offset.
    static let isTraditional: [Bool] = {
        var table = [Bool](repeating: false, count: 0x9FFF - 0x4E00 + 1)
        for scalar in traditional { table[Int(scalar.value) - 0x4E00] = true }
        return table
    }()

    /// Whether a character is refused.
    static func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x80: false
        case 0x4E00...0x9FFF: isTraditional[Int(scalar.value - 0x4E00)]
        case 0x1F000...0x1FAFF, 0x2600...0x27BF, 0xFE0F: true
        default: symbols.contains(scalar)
        }
    }
}
