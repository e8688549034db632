// SPDX-License-Identifier: Apache-2.0

import MessagePipe

extension CodeTable {
    /// Codes of the calls that manage sign names, templates and short links; a send never returns them.
    ///
    /// Source: SMS API error codes.
    static let management: [CodeEntry] = [
        CodeEntry(
            management: "isv.SIGN_COUNT_OVER_LIMIT",
            "The account has as many sign names as it may have, or applied for too many today.",
            "Delete sign names, or apply again tomorrow.",
        ),
        CodeEntry(
            management: "isv.SIGN_OVER_LIMIT",
            "The account has as many sign names as it may have.",
            "Delete sign names that you do not use.",
        ),
        CodeEntry(
            management: "isv.SIGN_FILE_LIMIT",
            "The proof files of a sign name are too large or too many.",
            "Upload fewer or smaller files.",
        ),
        CodeEntry(
            management: "isv.SIGN_SOURCE_ILLEGAL",
            "The source given for a sign name is not one of those that exist.",
            "Give a source that the API reference lists.",
        ),
        CodeEntry(
            management: "isv.SMS_SIGN_EMOJI_ILLEGAL",
            "A sign name cannot hold emoji.",
            "Remove the emoji.",
        ),
        CodeEntry(
            management: "isv.ERROR_EMPTY_FILE",
            "A proof file of a sign name is empty.",
            "Upload the file again.",
        ),
        CodeEntry(
            management: "isv.ERROR_SIGN_NOT_DELETE",
            "A sign name under review cannot be deleted.",
            "Wait until the review has ended.",
        ),
        CodeEntry(
            management: "isv.ERROR_SIGN_NOT_MODIFY",
            "An approved sign name cannot be changed.",
            "Apply for a new sign name.",
        ),
        CodeEntry(
            management: "isv.TEMPLATE_COUNT_OVER_LIMIT",
            "The account applied for too many templates today.",
            "Apply again tomorrow.",
        ),
        CodeEntry(
            management: "isv.TEMPLATE_OVER_LIMIT",
            "The account has as many templates as it may have.",
            "Delete templates that you do not use.",
        ),
        CodeEntry(
            management: "isv.ERROR_TEMPLATE_NOT_DELETE",
            "A template under review cannot be deleted.",
            "Wait until the review has ended.",
        ),
        CodeEntry(
            management: "isv.ERROR_TEMPLATE_NOT_MODIFY",
            "An approved template cannot be changed.",
            "Apply for a new template.",
        ),
        CodeEntry(
            management: "isv.SMS_OVER_LIMIT",
            "The account made too many applications today.",
            "Apply again tomorrow.",
        ),
        CodeEntry(
            management: "isv.SHORTURL_*",
            "A short link could not be made or used.",
            "Look the code up in the API reference of short links.",
        ),
        CodeEntry(
            management: "isv.SOURCEURL_OVER_LIMIT",
            "The link to shorten is too long.",
            "Use a shorter link.",
        ),
        CodeEntry(
            management: "isv.NO_AVAILABLE_SHORT_URL",
            "The account has no valid short link.",
            "Make a short link first.",
        ),
        CodeEntry(
            management: "isv.PHONENUMBERS_OVER_LIMIT",
            "The request names too many phone numbers for a short link.",
            "Name fewer numbers in one request.",
        ),
    ]
}
