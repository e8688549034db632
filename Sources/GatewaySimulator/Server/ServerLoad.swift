// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts what the connections of a server hold together, so that it stays bounded.
final class ServerLoad: Sendable {
    /// The most connections that are open at once; further ones are closed at once.
    static let maximumConnectionCount = 4_096

    /// The most bytes of bodies that are arriving at once; a request that goes beyond them is refused.
    private let maximumBodyBytes: Int
    private let connectionCount = Atomic<Int>(0)
    private let bodyBytes = Atomic<Int>(0)

    init(maximumBodyBytes: Int) {
        self.maximumBodyBytes = maximumBodyBytes
    }

    /// Notes a new connection; `false` if there are too many.
    func openConnection() -> Bool {
        guard connectionCount.wrappingAdd(1, ordering: .relaxed).newValue > Self.maximumConnectionCount else {
            return true
        }
        closeConnection()
        return false
    }

    /// Notes that a connection was closed.
    func closeConnection() {
        connectionCount.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Notes bytes of a body that is arriving; `false` if there are too many.
    func holdBody(_ byteCount: Int) -> Bool {
        guard bodyBytes.wrappingAdd(byteCount, ordering: .relaxed).newValue > maximumBodyBytes else { return true }
        releaseBody(byteCount)
        return false
    }

    /// Notes that bytes of a body are no longer arriving: it is there, or will never be.
    func releaseBody(_ byteCount: Int) {
        bodyBytes.wrappingSubtract(byteCount, ordering: .relaxed)
    }
}
