// SPDX-License-Identifier: Apache-2.0

extension CodeTable {
    /// This program's own codes.
    ///
    /// A line has one of them where no answer of the service gave it another.
    static let own: [CodeEntry] = [
        CodeEntry(
            own: "smspipe.INVALID_JSON",
            isSafeToRetry: true,
            "The line is no JSON object, so it was not sent.",
            "Correct the line at the byte offset that Message names.",
        ),
        CodeEntry(
            own: "smspipe.LINE_TOO_LONG",
            isSafeToRetry: true,
            "The line is longer than --max-line, so it was not sent.",
            "Shorten the line, or raise --max-line.",
        ),
        CodeEntry(
            own: "smspipe.DUPLICATE_MEMBER",
            isSafeToRetry: true,
            "A member that smspipe uses stands twice in the line: it is unclear what to send, so it was not sent.",
            "Leave one of the two.",
        ),
        CodeEntry(
            own: "smspipe.ID_REUSED",
            isSafeToRetry: true,
            "A message with this Id and other content came before, so this one was not sent.",
            "Give each message an Id of its own.",
        ),
        CodeEntry(
            own: "smspipe.UNCONFIRMED",
            isSafeToRetry: false,
            "The request left, and neither an answer nor a look-up tells what became of it: it may have been sent or not.",
            lookFirst,
        ),
        CodeEntry(
            own: "smspipe.UNREACHABLE",
            isSafeToRetry: true,
            "The gateway could not be reached, so the message was not sent.",
            "Check the network, --endpoint and the proxy settings, then send the line again.",
        ),
        CodeEntry(
            own: "smspipe.EXPIRED",
            isSafeToRetry: true,
            "The message could not be sent before its deadline passed, so it was not sent.",
            "Send the line again, with a longer --deadline if it may be late.",
        ),
        CodeEntry(
            own: "smspipe.STOPPED",
            isSafeToRetry: true,
            "The run ended before the message was sent: by a signal, a closed output or a failed journal.",
            "Send the line again.",
        ),
        CodeEntry(
            own: "smspipe.PLANNED",
            isSafeToRetry: true,
            "A dry run: the message would have been sent.",
            "Run again without --dry-run to send it.",
        ),
    ]
}
