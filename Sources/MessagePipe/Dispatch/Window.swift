// SPDX-License-Identifier: Apache-2.0

/// How much may be read and not yet answered.
package struct Window: Equatable, Sendable {
    /// The most messages.
    package let messages: Int
    /// The most bytes of input that they hold; by default so many that only long lines reach them.
    package let bytes: Int

    /// - Parameters:
    ///   - messages: The most messages.
    ///   - bytes: The most bytes of input; `nil` for as many as the messages call for.
    package init(messages: Int, bytes: Int? = nil) {
        self.messages = messages
        self.bytes = bytes ?? max(16 << 20, messages * 512)
    }

    /// How many messages are kept for the last chunk that goes into it: a large window counts as full that much earlier, and
    /// chunks go into it whole.
    package var reserve: Int { messages >= Self.large ? messages / 8 : 0 }
    private static let large = 8192
}

/// Tells how wide the window has to be for batches to fill.
///
/// Messages of many templates lie in as many open batches. Those of a thousand templates would leave a narrow window with 17
/// messages each: six times as many requests, and a sixth of what the service's quota lets through.
package struct WindowWidth {
    private let widest: Int
    private let batchSize: Int
    private let deadline: Duration

    /// How many messages an open batch has to have at least, in the mean, for more of them to be worth waiting for: keys that
    /// never come again, such as OutIds, fill no window.
    private static let fewest = 4

    private var firstSent: Instant?
    private var answered = 0

    /// - Parameters:
    ///   - widest: The most messages that the window may ever be wide.
    ///   - batchSize: For how many messages a request has room.
    ///   - deadline: How old a message may be when it is sent.
    package init(widest: Int, batchSize: Int, deadline: Duration) {
        self.widest = widest
        self.batchSize = batchSize
        self.deadline = deadline
    }

    /// Notes that the gateway has taken messages, or refused them for good.
    package mutating func answered(_ messages: Int, sentAt: Instant) {
        firstSent = firstSent ?? sentAt
        answered += messages
    }

    /// The width at which batches of so many keys fill, as far as the gateway is known to keep up with it.
    ///
    /// What is read grows old while it waits. So no more is, however many keys there are, than leaves in a quarter of the time
    /// that a message has, at the pace of the answers so far.
    ///
    /// - Parameters:
    ///   - window: The window as it is.
    ///   - held: How many messages are read and not yet answered.
    ///   - openBatches: How many batches are not full yet.
    ///   - now: The time; `nil` if nothing is sent.
    /// - Returns: The width in messages; that of the window if a wider one would not help.
    package func wanted(_ window: Window, held: Int, openBatches: Int, at now: Instant?) -> Int {
        guard window.messages < widest, held >= openBatches * Self.fewest else { return window.messages }
        // Batches fill at different times: half of the messages of each are there in the mean.
        let filling = min(widest, 2 * openBatches * batchSize)
        guard let now else { return max(window.messages, filling) }
        guard let firstSent else { return window.messages }
        let seconds = Double(max(1, firstSent.duration(to: now).nanoseconds)) / 1e9
        let leaving = Double(answered) / seconds * (Double(deadline.nanoseconds) / 4e9)
        return max(window.messages, Int(min(Double(filling), leaving)))
    }
}
