// SPDX-License-Identifier: Apache-2.0

extension Engine {
    /// How a run batches, sends and answers.
    package struct Configuration: Sendable {
        /// The most messages in a request.
        package var batchSize = 100
        /// How long a batch's oldest message waits for others; zero sends when no more input is ready.
        package var linger: Duration = .milliseconds(100)
        /// The most messages that are read and not yet answered, at first.
        package var window = 20000
        /// The most that it may become while batches of many templates do not fill; no more than ``window`` keeps that as it is.
        package var widestWindow = 0
        /// The most bytes of input that are held; `nil` for as many as the window calls for.
        package var maximumHeldBytes: Int?
        /// The most requests in flight.
        package var concurrency = 64
        /// The most messages a second.
        package var maximumMessagesPerSecond: Double?
        /// How long an answer is awaited.
        package var timeout: Duration = .seconds(10)
        /// How old a message may be when it is sent.
        package var deadline: Duration = .seconds(120)
        /// How long a request in doubt is looked up; zero for not at all.
        package var confirm: Duration = .seconds(30)
        /// How long answers are awaited after a signal.
        package var drain: Duration = .seconds(10)
        /// How long a gateway that was never reached is tried.
        package var unreachableAfter = Reachability.usualPatience
        /// Whether a batch that is refused for one message is split to find it.
        package var splits = true
        /// Whether nothing is sent at all.
        package var isDryRun = false
        /// Whether response lines keep the order of the input.
        package var keepsInputOrder = true
        /// Whether response lines repeat the message.
        package var echoes = true
        /// The waits between attempts.
        package var retryPolicy = RetryPolicy()
        /// What all BatchIds of the run begin with; unique to the run.
        package var runID: String

        /// Creates the contract's defaults for a run.
        package init(runID: String) {
            self.runID = runID
        }

        /// Limits the messages a second, and with them what a request holds and what is read.
        ///
        /// A request leaves at once with all that it holds: no more than a second's. And what is read has to leave before its
        /// deadline, to be set before: no more is read than half of that time allows.
        package mutating func limit(toMessagesPerSecond rate: Double) {
            maximumMessagesPerSecond = rate
            let half = Double(deadline.nanoseconds) / 2e9
            batchSize = max(1, Int(min(Double(batchSize), rate * min(1, half))))
            func limited(_ window: Int) -> Int { min(window, max(batchSize, Int(min(Double(window), rate * half)))) }
            (window, widestWindow) = (limited(window), limited(widestWindow))
        }
    }
}
