// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Random bits of the system, drawn many at once.
///
/// A system call for each value costs more than all else that a nonce needs.
struct RandomSource: RandomNumberGenerator {
    /// How many values are drawn at once, 256 bytes, the most that there are in one call.
    ///
    /// Source: getentropy(3).
    private static let count = 32

    private var values: [UInt64] = []

    mutating func next() -> UInt64 {
        if values.isEmpty { draw() }
        return values.removeLast()
    }

    private mutating func draw() {
        for _ in 0..<Self.count { values.append(0) }
        let byteCount = Self.count * MemoryLayout<UInt64>.size
        let status = unsafe values.withUnsafeMutableBytes { unsafe getentropy($0.baseAddress, byteCount) }
        guard status == 0 else { fatalError("getentropy: \(systemErrorText(errno))") }
    }
}
