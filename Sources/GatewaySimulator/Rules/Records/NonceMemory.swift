// SPDX-License-Identifier: Apache-2.0

/// The nonces of the last fifteen minutes at least, in generations that are forgotten whole.
///
/// Source: api 10, "nonce remembered per key for at least 15 minutes".
struct NonceMemory: Sendable {
    private static let generationSpan = Duration.seconds(5 * 60)
    /// How many full generations are remembered beside the one that is being filled.
    private static let generationCount = 3

    private let generationSize: Int
    private var current = DigestSet()
    private var startOfCurrent: WallTime?
    private var earlier: [(set: DigestSet, end: WallTime)] = []
    /// How many nonces were forgotten before their fifteen minutes were over, so that memory stays bounded.
    private(set) var earlyForgottenCount = 0

    /// Creates an empty memory.
    ///
    /// - Parameter capacity: How many nonces are remembered at most.
    init(capacity: Int) {
        generationSize = max(1, capacity / (Self.generationCount + 1))
    }

    /// Notes a nonce of a key.
    ///
    /// - Returns: Whether it was new.
    mutating func insert(_ nonce: String, of accessKeyID: String, at now: WallTime) -> Bool {
        beginGeneration(at: now)
        let digest = ContentHash.mix(ContentHash.of(nonce), ContentHash.of(accessKeyID))
        guard !earlier.contains(where: { $0.set.contains(digest) }) else { return false }
        return current.insert(digest)
    }

    private mutating func beginGeneration(at now: WallTime) {
        guard let start = startOfCurrent else {
            startOfCurrent = now
            return
        }
        guard now - start >= Self.generationSpan || current.count >= generationSize else { return }
        earlier.append((current, now))
        current = DigestSet()
        startOfCurrent = now
        guard earlier.count > Self.generationCount else { return }
        let oldest = earlier.removeFirst()
        if now - oldest.end < Self.generationSpan * Self.generationCount { earlyForgottenCount += oldest.set.count }
    }
}
