// SPDX-License-Identifier: Apache-2.0

/// The codes that the simulator can answer with, and the text that goes with each.
package enum RefusalTexts {
    /// The codes of the SMS service that a send can have.
    package static var serviceCodes: [String] { Array(service.keys) }

    /// The codes of the SMS service.
    ///
    /// Source: api 6.3; Chinese texts are quoted from real answers, the others translated.
    static let service: [String: String] = [
        "isp.RAM_PERMISSION_DENY": "没有访问权限",
        "isp.SYSTEM_ERROR": "A platform error occurred; call again.",
        "isp.GATEWAY_ERROR": "The call to the sending module failed; try again.",
        "isv.OUT_OF_SERVICE": "The service is stopped, usually for an overdue balance.",
        "isv.AMOUNT_NOT_ENOUGH": "The balance of the account is not enough.",
        "isv.PRODUCT_UN_SUBSCRIPT": "The account has not opened the communication product.",
        "isv.PRODUCT_UNSUBSCRIBE": "The product is not opened.",
        "isv.ACCOUNT_NOT_EXISTS": "The account does not exist.",
        "isv.ACCOUNT_ABNORMAL": "The state of the account is abnormal.",
        "isv.SECURITY_FROZEN_ACCOUNT": "The account is frozen after long disuse.",
        "isv.DENY_IP_RANGE": "The caller's address is outside mainland China.",
        "isv.DAY_LIMIT_CONTROL": "The daily volume cap of the account is reached.",
        "isv.MONTH_LIMIT_CONTROL": "The monthly volume cap of the account is reached.",
        "isv.SMS_TEMPLATE_ILLEGAL": "The template is not approved or does not exist in this account.",
        "isv.SMS_SIGNATURE_ILLEGAL": "The sign name is not approved or does not exist in this account.",
        "isv.SMS_SIGN_ILLEGAL": "The sign name is forbidden.",
        "isv.SIGN_STATE_ILLEGAL": "The sign name is unavailable.",
        "isv.SIGN_NAME_ILLEGAL": "The sign name breaks the naming rules.",
        "isv.SIGNATURE_BLACKLIST": "The content of the sign name is forbidden.",
        "SIGNATURE_BLACKLIST": "The content of the sign name is forbidden.",
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL":
            "The sign name serves verification codes only and does not fit the template.",
        "isv.SMS_TEST_SIGN_TEMPLATE_LIMIT": "A test sign name and a test template must be used together.",
        "isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL": "A test template takes 4 to 6 digits only.",
        "isv.SMS_TEST_NUMBER_LIMIT": "Test resources reach only numbers bound in the console.",
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": "An international template does not reach mainland numbers.",
        "isv.MOBILE_NUMBER_ILLEGAL": "The phone number is malformed.",
        "isv.MOBILE_COUNT_OVER_LIMIT": "The request holds too many phone numbers.",
        "isv.TEMPLATE_MISSING_PARAMETERS": "A variable of the template has no value.",
        "isv.TEMPLATE_PARAMS_ILLEGAL": "A value does not fit the attribute of its variable.",
        "template_parameter_count_illegal": "A template for verification codes may have only one variable.",
        "isv.INVALID_JSON_PARAM": "The parameter is not valid JSON; only string values are accepted.",
        "isv.INVALID_PARAMETERS": "The format of a parameter is wrong.",
        "PARAMS_ILLEGAL": "The sign name, the text or the number is wrong.",
        "isv.PARAM_LENGTH_LIMIT": "参数超过长度限制:35",
        "isv.PARAM_NOT_SUPPORT_URL": "A variable may not hold a URL.",
        "isv.BLACK_KEY_CONTROL_LIMIT": "The phone number is on the opt-out list.",
        "isv.CUSTOMER_REFUSED": "The recipient opted out of promotions.",
        "isv.SMS_CONTENT_ILLEGAL": "The message holds forbidden content.",
        "isv.UNSUPPORTED_CONTENT": "The message holds traditional Chinese, emoji or rare symbols.",
        "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE": "The content does not fit the type of the template.",
        "isv.BUSINESS_LIMIT_CONTROL": "触发分钟级流控Permits:1",
        "isv.EXTEND_CODE_ERROR": "The same extension code serves different sign names.",
        "isv.ONE_CODE_MULTIPLE_SIGN": "The extension code was bound to another sign name.",
        "isv.CODE_EXCEED_LIMIT": "No more extension codes can be used.",
        "isv.CODE_ERROR": "The extension code cannot be used.",
        "IS_CLOSE": "The carrier channel was shut down during sending; try later.",
    ]

    /// Codes that concern the account or the platform: one message that shows them stops its whole request.
    static let wholeRequest: Set<String> = [
        "isp.RAM_PERMISSION_DENY", "isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "isv.OUT_OF_SERVICE",
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.PRODUCT_UN_SUBSCRIPT", "isv.PRODUCT_UNSUBSCRIBE", "isv.ACCOUNT_NOT_EXISTS", "isv.ACCOUNT_ABNORMAL",
        "isv.SECURITY_FROZEN_ACCOUNT", "isv.DENY_IP_RANGE", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL",
        "isv.SMS_TEMPLATE_ILLEGAL",
    ]

    /// The codes of the gateway with their HTTP statuses.
    ///
    /// Source: api 6.4.
    static let gateway: [String: (status: Int, message: String)] = [
        "SignatureDoesNotMatch": (400, "Specified signature is not matched with our calculation."),
        "IncompleteSignature": (400, "The request signature does not conform to the service's standards."),
        "InvalidAccessKeyId.NotFound": (404, "Specified access key is not found."),
        "InvalidAccessKeyId.Inactive": (400, "Specified access key is disabled."),
        "InvalidAccessKeyId": (400, "Specified access key is not valid."),
        "Forbidden.AccessKeyDisabled": (403, "Specified access key is disabled."),
        "MissingParameter": (400, "The input parameter that is mandatory for processing this request is not supplied."),
        "MissingSecurityToken": (400, "SecurityToken is mandatory for this action."),
        "InvalidSecurityToken.Expired": (400, "Specified SecurityToken is expired."),
        "InvalidSecurityToken.Malformed": (400, "Specified SecurityToken is malformed."),
        "InvalidSecurityToken.MismatchWithAccessKey": (400, "Specified SecurityToken mismatch with the AccessKey."),
        "InvalidTimeStamp.Expired": (400, "Specified time stamp or date value is expired."),
        "InvalidTimeStamp.Format": (400, "Specified time stamp or date value is not well formatted."),
        "SignatureNonceUsed": (400, "Specified signature nonce was used already."),
        "InvalidSignatureMethod": (400, "Specified signature method is not valid."),
        "InvalidVersion": (400, "Specified parameter Version is not valid."),
        "InvalidProduct.NotFound": (404, "Cannot find product according to your specified domain."),
        "InvalidRegion.NotFound": (404, "Specified region is not found."),
        "InvalidAction.NotFound": (404, "Specified api is not found, please check your url and method"),
        "InvalidApi.NotFound": (404, "Specified api is not found, please check your url and method"),
        "InvalidParameter": (400, "A specified parameter is not valid."),
        "InvalidParameter.Format": (400, "A specified parameter is not well formatted."),
        "InvalidProtocol.NeedSsl": (400, "Your request is denied as lack of ssl protect."),
        "UnsupportedHTTPMethod": (400, "This http method is not supported."),
        "UnsupportedOperation": (400, "The specified action is not supported."),
        "ContentLengthDoesNotMatch": (400, "The Content-Length does not match the body."),
        "ContentMD5NotMatched": (400, "The Content-MD5 does not match the body."),
        "Throttling.User": (429, "Request was denied due to user flow control."),
        "Throttling": (429, "Request was denied due to request throttling."),
        "Throttling.Api": (429, "Request was denied due to api flow control."),
        "Forbidden.RAM": (
            403, "User not authorized to operate on the specified resource, or this API doesn't support RAM."
        ),
        "NoPermission": (403, "You are not authorized to perform this action."),
        "Forbidden": (403, "User not authorized to operate on the specified resource."),
        "Forbidden.RiskControl": (403, "This operation is forbidden by risk control."),
        "Forbidden.UserVerification": (403, "Your user account is not verified."),
        "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
        "InternalError": (500, "The request processing has failed due to some unknown error, exception or failure."),
        "UnknownError": (500, "The request processing has failed due to some unknown error."),
    ]
}
