// SPDX-License-Identifier: Apache-2.0

import BasicContainers
import CSupport

extension Span where Element: ~Copyable {
    /// Begins to fetch some bytes that will be written soon, and takes them from the other processors' caches.
    ///
    /// - Parameters:
    ///   - index: The element that they begin with; it need not be there.
    ///   - byteCount: How many bytes.
    @inline(__always)
    func prefetch(from index: Int, byteCount: Int) {
        unsafe withUnsafeBufferPointer { elements in
            guard let base = elements.baseAddress else { return }
            // An address, not a read: what is fetched need not be there.
            let start = unsafe UnsafeRawPointer(base + index)
            for offset in stride(from: 0, to: byteCount, by: 64) { unsafe prefetch_for_writing(start + offset) }
        }
    }
}

extension UniqueArray where Element: ~Copyable {
    /// Begins to fetch some bytes of an element that will be written soon.
    @inline(__always)
    func prefetch(at index: Int, byteCount: Int) {
        precondition(index >= 0 && index < count, "an element beyond the array")
        span.prefetch(from: index, byteCount: byteCount)
    }

    /// Begins to fetch some bytes of the memory that the next elements will be written to.
    @inline(__always)
    func prefetchEnd(byteCount: Int) {
        span.prefetch(from: count, byteCount: byteCount)
    }
}
