// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe
import Testing

struct CodeTableTests {
    /// What each code must be taken for, written down a second time, class by class.
    static let classes: [(CodeClass, String)] = [
        (.success, "OK"),
        (
            .credentials,
            """
            isp.RAM_PERMISSION_DENY isv.ACCOUNT_NOT_EXISTS isv.DENY_IP_RANGE SignatureDoesNotMatch IncompleteSignature \
            InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive InvalidAccessKeyId InvalidAccessKeyId* \
            Forbidden.AccessKeyDisabled MissingSecurityToken InvalidSecurityToken.Malformed InvalidSecurityToken* \
            InvalidSecurityToken.MismatchWithAccessKey Forbidden.RAM NoPermission Forbidden Forbidden.RiskControl \
            Forbidden.UserVerification Forbidden*
            """
        ),
        (
            .account,
            """
            isv.OUT_OF_SERVICE isv.AMOUNT_NOT_ENOUGH isv.PRODUCT_UN_SUBSCRIPT isv.PRODUCT_UNSUBSCRIBE \
            isv.ACCOUNT_ABNORMAL isv.SECURITY_FROZEN_ACCOUNT isv.DAY_LIMIT_CONTROL isv.MONTH_LIMIT_CONTROL \
            InvalidProtocol.NeedSsl
            """
        ),
        (
            .batch,
            """
            isv.SMS_TEMPLATE_ILLEGAL isv.SMS_TEST_SIGN_TEMPLATE_LIMIT isv.MOBILE_COUNT_OVER_LIMIT isv.INVALID_PARAMETERS \
            template_parameter_count_illegal isv.CODE_EXCEED_LIMIT isv.* isv.SIGN_COUNT_OVER_LIMIT isv.SIGN_OVER_LIMIT \
            isv.SIGN_FILE_LIMIT isv.SIGN_SOURCE_ILLEGAL isv.SMS_SIGN_EMOJI_ILLEGAL isv.ERROR_EMPTY_FILE \
            isv.ERROR_SIGN_NOT_DELETE isv.ERROR_SIGN_NOT_MODIFY isv.TEMPLATE_COUNT_OVER_LIMIT isv.TEMPLATE_OVER_LIMIT \
            isv.ERROR_TEMPLATE_NOT_DELETE isv.ERROR_TEMPLATE_NOT_MODIFY isv.SMS_OVER_LIMIT isv.SHORTURL_* \
            isv.SOURCEURL_OVER_LIMIT isv.NO_AVAILABLE_SHORT_URL isv.PHONENUMBERS_OVER_LIMIT MissingAccessKeyId \
            MissingAction MissingVersion MissingSignature MissingTimestamp MissingParameter Missing* \
            InvalidTimeStamp.Format InvalidSignatureMethod InvalidVersion InvalidProduct.NotFound InvalidRegion.NotFound \
            InvalidAction.NotFound InvalidApi.NotFound InvalidParameter InvalidParameter.Format Invalid* \
            UnsupportedHTTPMethod UnsupportedOperation
            """
        ),
        (
            .batchOrMessage,
            """
            isv.SMS_SIGNATURE_ILLEGAL isv.SMS_SIGN_ILLEGAL isv.SIGN_STATE_ILLEGAL isv.SIGN_NAME_ILLEGAL \
            isv.SIGNATURE_BLACKLIST SIGNATURE_BLACKLIST isv.SMS_SIGNATURE_SCENE_ILLEGAL isv.INVALID_JSON_PARAM \
            PARAMS_ILLEGAL isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE isv.EXTEND_CODE_ERROR isv.ONE_CODE_MULTIPLE_SIGN \
            isv.CODE_ERROR
            """
        ),
        (
            .message,
            """
            isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL isv.SMS_TEST_NUMBER_LIMIT isv.DOMESTIC_NUMBER_NOT_SUPPORTED \
            isv.MOBILE_NUMBER_ILLEGAL isv.TEMPLATE_MISSING_PARAMETERS isv.TEMPLATE_PARAMS_ILLEGAL isv.PARAM_LENGTH_LIMIT \
            isv.PARAM_NOT_SUPPORT_URL isv.BLACK_KEY_CONTROL_LIMIT isv.CUSTOMER_REFUSED isv.SMS_CONTENT_ILLEGAL \
            isv.UNSUPPORTED_CONTENT isv.BUSINESS_LIMIT_CONTROL
            """
        ),
        (.throttle, "Throttling Throttling.User Throttling.Api Throttling*"),
        (
            .stale,
            """
            InvalidSecurityToken.Expired SecurityToken.Expired SecurityTokenExpired InvalidTimeStamp.Expired \
            ContentLengthDoesNotMatch ContentMD5NotMatched
            """
        ),
        (
            .ambiguous,
            """
            isp.SYSTEM_ERROR isp.GATEWAY_ERROR IS_CLOSE isp.* SignatureNonceUsed ServiceUnavailable InternalError \
            UnknownError *
            """
        ),
    ]

    static let expected: [String: CodeClass] = Dictionary(
        uniqueKeysWithValues: classes.flatMap { codeClass, codes in
            codes.split(separator: " ").map { (String($0), codeClass) }
        }
    )

    @Test(arguments: CodeTable.entries)
    func `explains every code in sentences and finds it again`(_ entry: CodeEntry) {
        #expect(CodeTable.entry(for: entry.code) == entry)
        for sentence in [entry.meaning, entry.remedy] {
            #expect(sentence.first?.isUppercase == true || sentence.hasPrefix("smspipe"))
            #expect(sentence.last == ".")
        }
        #expect(entry.codeClass == Self.expected[entry.code])
        #expect((entry.codeClass == nil) == (entry.origin == .smspipe))
        #expect((entry.origin == .smspipe) == entry.code.hasPrefix("smspipe."))
        if let codeClass = entry.codeClass {
            #expect(entry.isSafeToRetry == ![.success, .ambiguous].contains(codeClass))
        }
    }

    @Test func `holds every expected code once`() {
        let codes = CodeTable.entries.map(\.code)
        #expect(Set(codes).count == codes.count)
        #expect(Set(Self.expected.keys).subtracting(codes) == [])
    }

    @Test func `holds this program's own codes`() {
        let own = CodeTable.entries.filter { $0.origin == .smspipe }.map(\.code)
        #expect(
            own.sorted() == [
                "smspipe.DUPLICATE_MEMBER", "smspipe.EXPIRED", "smspipe.ID_REUSED", "smspipe.INVALID_JSON",
                "smspipe.LINE_TOO_LONG", "smspipe.PLANNED", "smspipe.STOPPED", "smspipe.UNCONFIRMED",
                "smspipe.UNREACHABLE",
            ]
        )
        let unsafe = CodeTable.entries.filter { $0.origin == .smspipe && !$0.isSafeToRetry }
        #expect(unsafe.map(\.code) == ["smspipe.UNCONFIRMED"])
    }

    @Test(arguments: [
        ("isp.NEW", "isp.*"), ("isv.NEW", "isv.*"), ("isv.SHORTURL_NEW", "isv.SHORTURL_*"),
        ("Throttling.New", "Throttling*"), ("Forbidden.New", "Forbidden*"), ("MissingNew", "Missing*"),
        ("InvalidNew.Sub", "Invalid*"), ("InvalidSecurityToken.New", "InvalidSecurityToken*"),
        ("InvalidAccessKeyId.New", "InvalidAccessKeyId*"), ("InvalidAccessKeyIdNew", "InvalidAccessKeyId*"),
        ("invalid", "*"), ("ok", "*"), ("OK ", "*"), ("", "*"), ("isv", "*"), ("smspipe.NEW", "*"),
    ])
    func `takes the longest beginning for a code that it does not know`(_ code: String, _ found: String) {
        #expect(CodeTable.entry(for: code).code == found)
    }

    @Test(arguments: [
        ("OK", 200, CodeClass.success), ("OK", 201, .success), ("OK", 302, .ambiguous), ("OK", 400, .ambiguous),
        ("OK", 500, .ambiguous),
        ("isv.NEW", 200, .batch), ("isv.NEW", 400, .batch),
        ("isp.NEW", 200, .ambiguous), ("isp.NEW", 400, .ambiguous),
        ("New", 200, .ambiguous), ("New", 302, .ambiguous), ("New", 500, .ambiguous),
        ("New", 400, .unknownRefusal), ("New", 404, .unknownRefusal), ("New", 429, .throttle),
        ("Throttling.User", 400, .throttle), ("Throttling.User", 429, .throttle), ("Throttling.User", 503, .ambiguous),
        ("SignatureNonceUsed", 400, .ambiguous), ("isv.BUSINESS_LIMIT_CONTROL", 200, .message),
        ("isv.BUSINESS_LIMIT_CONTROL", 502, .ambiguous),
        ("smspipe.PLANNED", 200, .ambiguous), ("smspipe.PLANNED", 400, .unknownRefusal), ("", 400, .unknownRefusal),
        ("*", 400, .unknownRefusal), ("isv.*", 200, .batch),
    ])
    func `classes a code with its status`(_ code: String, _ status: Int, _ expected: CodeClass) {
        #expect(CodeTable.codeClass(of: code, status: status) == expected)
    }
}
