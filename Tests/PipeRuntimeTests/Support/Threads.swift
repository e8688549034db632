// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// Does on a thread of its own what may block.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        DispatchQueue(label: "blocking").async { continuation.resume(returning: body()) }
    }
}

/// Both ends of a pipe, closed with it.
final class TestPipe: Sendable {
    let readEnd: Descriptor
    let writeEnd: Descriptor

    init() {
        var ends: [Int32] = [-1, -1]
        _ = unsafe pipe(&ends)
        // Tests that end their process run in children, which must not hold an end that another test closes.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readEnd = Descriptor(ends[0])
        writeEnd = Descriptor(ends[1])
    }

    @discardableResult
    func write(_ text: String) -> Bool { writeEnd.write(text) }
}
