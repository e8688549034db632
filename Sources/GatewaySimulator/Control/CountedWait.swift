// SPDX-License-Identifier: Apache-2.0

/// Someone's wish to wait until so many messages were taken: `/_sim/wait?count=100&timeout=5s`.
struct CountedWait: Equatable, Sendable {
    /// The longest time that can be waited.
    static let maximumTimeout = Duration.seconds(600)

    /// How many messages must have been taken since the start or the last reset.
    var count: Int
    /// How long to wait at most.
    var timeout: Duration

    /// Reads the wish; `nil` for a count or a timeout that is none.
    init?(_ request: SimulatedRequest) {
        guard let parameters = try? request.queryParameters(),
            let count = parameters.text(of: "count").flatMap({ Int($0) }),
            let timeout = DurationText.parse(parameters.text(of: "timeout") ?? "10s")
        else { return nil }
        self.count = count
        self.timeout = min(timeout, Self.maximumTimeout)
    }
}
