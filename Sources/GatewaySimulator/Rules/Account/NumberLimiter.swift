// SPDX-License-Identifier: Apache-2.0

/// Counts the messages to each phone number and says which ones are too many.
struct NumberLimiter: Sendable {
    private struct Window: Sendable {
        var minute: Int64 = 0
        var minuteCount = 0
        var hour: Int64 = 0
        var hourCount = 0
        var dayStart = WallTime.epoch
        var dayCount = 0
    }

    /// How many numbers are remembered at most; past that, those without a send in 24 hours are forgotten, then all.
    private static let maximumCount = 2_000_000

    let limits: NumberLimits
    private var windows: [UInt64: Window] = [:]
    /// The windows as they will be if the request under examination is taken.
    private var pending: [UInt64: Window] = [:]

    /// Creates a limiter that has counted nothing.
    init(limits: NumberLimits) {
        self.limits = limits
    }

    /// Finds the messages of a request that are too many; ``commit()`` then counts it.
    mutating func examine(
        _ send: SendRequest,
        kind: Template.Kind?,
        at now: WallTime,
        account: SimulatedAccount,
    ) -> [SendJudgement.Culprit] {
        pending.removeAll(keepingCapacity: true)
        let limit = limits.limit(for: kind)
        guard !limit.isEmpty else { return [] }
        let limitOfAll = kind == .code ? limits.codeOfAll : NumberLimits.Limit()
        let bytes = send.bytes.span
        let scope = kind == .code ? 1 : ContentHash.of(bytes, send.templateCode)
        var culprits: [SendJudgement.Culprit] = []
        for (index, element) in send.elements.enumerated() {
            if account.state(of: element, in: bytes)?.isExemptFromLimits == true { continue }
            let key = ContentHash.mix(
                ContentHash.mix(element.numberHash, ContentHash.of(bytes, element.signName)),
                scope,
            )
            let keyOfAll = ContentHash.mix(element.numberHash, 2)
            var window = window(key, at: now)
            var windowOfAll = limitOfAll.isEmpty ? Window() : self.window(keyOfAll, at: now)
            if let text = Self.count(&window, limit) ?? Self.count(&windowOfAll, limitOfAll) {
                culprits.append(.init(index: index, refusal: .service("isv.BUSINESS_LIMIT_CONTROL", text)))
            } else {
                pending[key] = window
                if !limitOfAll.isEmpty { pending[keyOfAll] = windowOfAll }
            }
        }
        return culprits
    }

    private func window(_ key: UInt64, at now: WallTime) -> Window {
        Self.current(pending[key] ?? windows[key] ?? Window(), at: now)
    }

    /// Counts the messages that were examined last.
    mutating func commit() {
        guard !pending.isEmpty else { return }
        for (key, window) in pending { windows[key] = window }
        guard windows.count > Self.maximumCount, let newest = windows.values.map(\.dayStart).max() else { return }
        windows = windows.filter { newest - $0.value.dayStart < .seconds(86_400) }
        if windows.count > Self.maximumCount { windows.removeAll() }
    }

    /// Counts one more message, or says which limit is in its way.
    ///
    /// Source of the texts: api 6.3.
    private static func count(_ window: inout Window, _ limit: NumberLimits.Limit) -> String? {
        if let minute = limit.minute, window.minuteCount >= minute { return "触发分钟级流控Permits:\(minute)" }
        if let hour = limit.hour, window.hourCount >= hour { return "触发小时级流控Permits:\(hour)" }
        if let day = limit.day, window.dayCount >= day { return "触发天级流控Permits:\(day)" }
        window.minuteCount += 1
        window.hourCount += 1
        window.dayCount += 1
        return nil
    }

    /// Minutes and hours begin by the calendar, a day with a send.
    ///
    /// The offset of China time is whole hours, so UTC serves.
    private static func current(_ window: Window, at now: WallTime) -> Window {
        var window = window
        let minute = now.seconds.flooredQuotient(by: 60)
        let hour = now.seconds.flooredQuotient(by: 3_600)
        if window.minute != minute { (window.minute, window.minuteCount) = (minute, 0) }
        if window.hour != hour { (window.hour, window.hourCount) = (hour, 0) }
        if now - window.dayStart >= .seconds(86_400) { (window.dayStart, window.dayCount) = (now, 0) }
        return window
    }
}
