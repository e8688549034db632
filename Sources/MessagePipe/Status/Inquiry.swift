// SPDX-License-Identifier: Apache-2.0

/// What is known of one line's message, and what is asked next.
///
/// A round of questions goes through the pages of a day and, while nothing is found, through the neighbouring days.
///
/// A class, as it stands in its place in the input and waits at another; both belong to one ``StatusEngine``.
final class Inquiry {
    let line: SentLine
    /// Until when its message is asked about again.
    let askedUntil: Instant
    /// How its record is known; `nil` where there is nothing to ask.
    let search: RecordSearch?

    /// The day that is asked for.
    private(set) var date: SendDate?
    /// The page that is asked for.
    private(set) var page = 1
    /// What fits on the pages of the day that were seen: how many records, and the last of them.
    private var fittingCount = 0
    private var fitting: SendDetails.Record?
    /// Whether the day of the line itself was refused, so that not found means not answered.
    private(set) var isRefused = false
    /// How many rounds of questions have ended, and when the one under way has begun.
    private var rounds = 0
    private var roundBegan: Instant?

    /// The look-up under way.
    private(set) var lookUp: RequestID?
    private(set) var sentAt = Instant(nanoseconds: 0)
    /// When it is looked at again.
    var dueAt: Instant?
    /// How often in a row it was asked without an answer, and since when.
    private(set) var attempts = 0
    private(set) var failingSince: Instant?
    /// Whether it was signed anew for a time stamp that the gateway found too old.
    var isSignedAnew = false

    /// The record that was found.
    private(set) var record: SendDetails.Record?
    /// Whether the line is due.
    private(set) var isSettled = false

    init(_ line: SentLine, askedUntil: Instant) {
        self.line = line
        self.askedUntil = askedUntil
        if case .sent(let search) = line.kind { self.search = search } else { search = nil }
        date = search?.sendDate
    }

    /// Whether the record shows that a message was taken of which that was open.
    var isFound: Bool { line.isUnknown && record != nil && search?.isCertain == true }

    // MARK: - A look-up

    func started(_ id: RequestID, at now: Instant) {
        lookUp = id
        sentAt = now
        roundBegan = roundBegan ?? now
        attempts += 1
    }

    /// Notes that the one report about the look-up has come.
    func reported() {
        lookUp = nil
        dueAt = nil
    }

    /// Notes that the look-up was answered.
    func answered() {
        attempts = 0
        failingSince = nil
        isSignedAnew = false
    }

    /// Notes that the look-up was not answered.
    ///
    /// - Returns: Since when none was.
    func failed() -> Instant {
        let since = failingSince ?? sentAt
        failingSince = since
        return since
    }

    // MARK: - A round

    /// Takes the records of a page.
    ///
    /// - Returns: Whether more pages of the day may tell something.
    func take(_ details: SendDetails) -> Bool {
        guard let search else { return false }
        for record in details.records where search.fits(record) && isOfDay(record, search) {
            fittingCount += 1
            fitting = record
        }
        if search.isCertain, fittingCount > 0 { return false }
        let isLast =
            details.totalCount.map { page * SendDetails.maximumPageSize >= $0 }
            ?? (details.records.count < SendDetails.maximumPageSize)
        guard !isLast, !details.records.isEmpty, page < StatusEngine.maximumPage else { return false }
        page += 1
        return true
    }

    /// Whether a record can be that of a message which left on the line's day.
    ///
    /// That of a neighbouring day is, if no other message can have the same OutId, or if it is from about midnight.
    private func isOfDay(_ record: SendDetails.Record, _ search: RecordSearch) -> Bool {
        guard let date, date != search.sendDate, !search.isCertain else { return true }
        guard let time = record.sendDate.flatMap({ $0.split(separator: " ").last }) else { return false }
        return date == search.sendDate.next ? time < "00:10:00" : time >= "23:50:00"
    }

    /// Notes that the day cannot be asked for.
    func refused() {
        if date == search?.sendDate { isRefused = true }
    }

    /// Goes to the next day of the round.
    ///
    /// - Parameter today: The day in China; no record is later.
    /// - Returns: Whether there is one to ask for; else the round has ended.
    func nextDay(today: SendDate?) -> Bool {
        guard let search, let asked = date else { return false }
        let own = search.sendDate
        let hasFitting = fittingCount > 0
        // Several may be those of other messages, and which is whose nobody can tell.
        if fittingCount == 1 || search.isCertain, let fitting {
            record = fitting
        } else if fittingCount > 1 {
            record = nil
        }
        page = 1
        fittingCount = 0
        fitting = nil
        date = own
        if !hasFitting {
            let isNextBegun = today.map { own.next <= $0 } ?? false
            if asked == own, isNextBegun { date = own.next } else if asked >= own { date = own.previous }
        }
        return date != own
    }

    /// Ends a round.
    ///
    /// - Returns: When the next one begins; `nil` if this was the last: one that has begun when the time was over.
    func endRound(at now: Instant) -> Instant? {
        let isLast = roundBegan.map { $0 >= askedUntil } ?? false
        let isFinal = record?.status == .delivered || record?.status == .failed
        guard !isFinal, !isRefused, !isLast else { return nil }
        let pause = min(StatusEngine.pauses.first * (1 << min(rounds, 16)), StatusEngine.pauses.longest)
        rounds += 1
        roundBegan = nil
        return max(now, min(now.advanced(by: pause), askedUntil))
    }

    func settle() {
        isSettled = true
        dueAt = nil
    }
}
