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

    /// The most bytes of input that a window holds which has found its width itself: the messages of the widest have 210 in the mean.
    private static let maximumOwnBytes = 40 << 20

    /// A window of another width, for as many bytes as the messages call for within what one may take that nobody told.
    func resized(to messages: Int, told bytes: Int?) -> Window {
        let window = Window(messages: messages, bytes: bytes)
        guard bytes == nil, window.bytes > Self.maximumOwnBytes else { return window }
        return Window(messages: messages, bytes: Self.maximumOwnBytes)
    }

    /// How many messages are kept for the last chunk that goes into it: a large window counts as full that much earlier, and
    /// chunks go into it whole.
    package var reserve: Int { messages >= Self.large ? messages / 8 : 0 }
    private static let large = 8192
}

/// Tells how wide the window is to be for batches to fill.
///
/// Messages of many templates lie in as many open batches. Those of a thousand templates would leave a narrow window with 17
/// messages each: six times as many requests, and a sixth of what the service's quota lets through.
package struct WindowWidth {
    private let narrowest: Int
    private let widest: Int
    private let batchSize: Int
    private let deadline: Duration
    /// How long the gateway's pace is taken at least, and at most twice as long.
    private let slice: Duration

    /// How many messages an open batch has to have at least, in the mean, for more of them to be worth waiting for: keys that
    /// never come again, such as OutIds, fill no window.
    private static let fewest = 4
    /// Which part of the time that a message has the answers to all that is held may take, at the pace of the last ones: a gateway
    /// may become so many times slower before messages grow too old.
    private static let share = 32

    private var earlier: (since: Instant, count: Int)?
    private var later: (since: Instant, count: Int)?

    /// - Parameters:
    ///   - narrowest: The messages that the window is wide at first.
    ///   - widest: The most messages that it may ever be wide.
    ///   - batchSize: For how many messages a request has room.
    ///   - deadline: How old a message may be when it is sent.
    package init(narrowest: Int, widest: Int, batchSize: Int, deadline: Duration) {
        self.narrowest = narrowest
        self.widest = widest
        self.batchSize = batchSize
        self.deadline = deadline
        slice = max(.milliseconds(50), deadline / Self.share)
    }

    /// Whether the window may ever be another than it is.
    var isFixed: Bool { widest <= narrowest }

    /// Notes that the gateway has taken messages, or refused them for good.
    package mutating func answered(_ messages: Int, sentAt: Instant, at now: Instant) {
        guard !isFixed else { return }
        if earlier == nil { earlier = (sentAt, 0) }
        begin(at: now)
        later = (later?.since ?? sentAt, (later?.count ?? 0) + messages)
    }

    /// Notes that nothing is held: the next pace is that of what comes then.
    package mutating func emptied() {
        (earlier, later) = (nil, nil)
    }

    /// Begins another slice if the last one is over.
    private mutating func begin(at now: Instant) {
        guard let last = later, last.since.duration(to: now) >= slice else { return }
        // After a pause without answers nothing of before says how fast they come.
        earlier = last.since.duration(to: now) < slice * 2 ? last : (last.since.advanced(by: slice), 0)
        later = (now, 0)
    }

    /// How many messages leave in the time that all that is held may take.
    private mutating func leaving(at now: Instant) -> Double {
        begin(at: now)
        guard let earlier else { return 0 }
        let seconds = Double(max(1, earlier.since.duration(to: now).nanoseconds)) / 1e9
        let pace = Double(earlier.count + (later?.count ?? 0)) / seconds
        return pace * Double(deadline.nanoseconds) / 1e9 / Double(Self.share)
    }

    /// The width at which batches of so many keys fill, as far as the gateway keeps up with it.
    ///
    /// What is read grows old while it waits. So no more is, however many keys there are, than leaves in a part of the time that
    /// a message has.
    ///
    /// - Parameters:
    ///   - window: The window as it is.
    ///   - held: How many messages are read and not yet answered.
    ///   - isFull: Whether reading waits.
    ///   - openBatches: How many batches are not full yet.
    ///   - now: The time; `nil` if nothing is sent.
    /// - Returns: The width in messages; that of the window where another would not help.
    package mutating func wanted(
        _ window: Window,
        held: Int,
        isFull: Bool,
        openBatches: Int,
        at now: Instant?,
    ) -> Int {
        let width = window.messages
        guard !isFixed, isFull || width > narrowest else { return width }
        let leaving = if let now { leaving(at: now) } else { Double.infinity }
        // Half of what it is, as the pace is never quite the same.
        if width > narrowest, leaving < Double(width / 2) { return max(narrowest, Int(leaving)) }
        guard isFull, width < widest, held >= openBatches * Self.fewest else { return width }
        // Batches fill at different times: half of the messages of each are there in the mean.
        let filling = min(widest, 2 * openBatches * batchSize)
        return max(width, Int(min(Double(filling), leaving)))
    }
}
