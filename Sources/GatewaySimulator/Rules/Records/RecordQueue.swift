// SPDX-License-Identifier: Apache-2.0

/// Records numbered in the order in which they came, the oldest of which can be dropped.
struct RecordQueue<Record: Sendable>: Sendable {
    private var storage: [Record?] = []
    private var head = 0
    /// The number of the oldest record that is kept, from 1.
    private(set) var firstNumber: UInt64 = 1

    /// The number that the next record will have.
    var nextNumber: UInt64 { firstNumber + UInt64(count) }
    /// How many records are kept.
    var count: Int { storage.count - head }
    /// Whether none is kept.
    var isEmpty: Bool { count == 0 }
    /// The oldest record.
    var first: Record? { isEmpty ? nil : storage[head] }
    /// The numbers of the records that are kept.
    var numbers: Range<UInt64> { firstNumber..<nextNumber }

    /// Adds a record.
    mutating func append(_ record: Record) {
        storage.append(record)
    }

    /// Drops the oldest record, if there is one.
    ///
    /// - Complexity: O(1), amortised.
    mutating func dropFirst() {
        guard !isEmpty else { return }
        storage[head] = nil
        head += 1
        firstNumber += 1
        if head > 1_024, head * 2 > storage.count {
            storage.removeSubrange(..<head)
            head = 0
        }
    }

    /// The record of a number; `nil` for one that was dropped or never came.
    ///
    /// Setting one that is kept replaces it; any other stays as it is.
    subscript(number: UInt64) -> Record? {
        get {
            guard numbers.contains(number) else { return nil }
            return storage[head + Int(number - firstNumber)]
        }
        set {
            guard numbers.contains(number), let newValue else { return }
            storage[head + Int(number - firstNumber)] = newValue
        }
    }

    /// Drops all records; numbers go on.
    mutating func removeAll() {
        firstNumber = nextNumber
        storage = []
        head = 0
    }
}
