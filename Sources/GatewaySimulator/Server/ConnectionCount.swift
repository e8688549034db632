// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts the open connections, so that their number stays bounded.
final class ConnectionCount: Sendable {
    /// The most connections that are open at once; further ones are closed at once.
    static let maximum = 4_096

    private let count = Atomic<Int>(0)

    /// Notes a new connection; `false` if there are too many.
    func open() -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue > Self.maximum else { return true }
        close()
        return false
    }

    /// Notes that a connection was closed.
    func close() {
        count.wrappingSubtract(1, ordering: .relaxed)
    }
}
