// SPDX-License-Identifier: Apache-2.0

/// How many messages one phone number may get, by kind of template.
///
/// Source: api 7.1. Minutes and hours are calendar windows of China time, a day is the 24 hours from a send.
package struct NumberLimits: Equatable, Sendable {
    /// The limits of one kind of template; `nil` for no limit.
    package struct Limit: Equatable, Sendable {
        /// Per calendar minute.
        package var minute: Int?
        /// Per calendar hour.
        package var hour: Int?
        /// Per 24 hours.
        package var day: Int?

        /// Creates a limit.
        ///
        /// - Parameters:
        ///   - minute: Per calendar minute.
        ///   - hour: Per calendar hour.
        ///   - day: Per 24 hours.
        package init(minute: Int? = nil, hour: Int? = nil, day: Int? = nil) {
            self.minute = minute
            self.hour = hour
            self.day = day
        }

        /// Whether nothing is limited.
        var isEmpty: Bool { minute == nil && hour == nil && day == nil }
    }

    /// Verification codes, counted per sign name and number.
    package var code: Limit
    /// Verification codes, counted per number, whoever sends them.
    package var codeOfAll: Limit
    /// Notices, counted per sign name, template and number.
    package var notice: Limit
    /// Promotions, counted per sign name, template and number.
    package var promotion: Limit

    /// Creates limits.
    ///
    /// - Parameters:
    ///   - code: The limit of verification codes.
    ///   - notice: The limit of notices.
    ///   - promotion: The limit of promotions.
    ///   - codeOfAll: The limit of verification codes over all senders.
    package init(code: Limit, notice: Limit, promotion: Limit, codeOfAll: Limit = Limit()) {
        self.code = code
        self.codeOfAll = codeOfAll
        self.notice = notice
        self.promotion = promotion
    }

    /// No limits.
    package static let none = NumberLimits(code: Limit(), notice: Limit(), promotion: Limit())

    /// The limits of the service.
    package static let service = NumberLimits(
        code: Limit(minute: 1, hour: 5, day: 10),
        notice: Limit(day: 50),
        promotion: Limit(day: 50),
        codeOfAll: Limit(day: 40),
    )

    /// The limit for a kind of template; templates of unknown kind count as notices, international ones are not limited.
    func limit(for kind: Template.Kind?) -> Limit {
        switch kind {
        case .code: code
        case .notice, nil: notice
        case .promotion: promotion
        case .international: Limit()
        }
    }
}
