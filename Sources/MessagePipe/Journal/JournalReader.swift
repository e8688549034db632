// SPDX-License-Identifier: Apache-2.0

/// A record of the journal that was changed after it had been written.
package struct JournalDamage: Error, Equatable, CustomStringConvertible {
    /// The number of the record's line, from 1.
    package let record: Int
    /// The number of bytes before it.
    package let offset: Int
    /// What is wrong with it.
    package let reason: String
    /// Whether the file does not even begin like a journal.
    package let isForeign: Bool

    package var description: String { "record \(record) (byte \(offset)) is damaged: \(reason)" }
}

/// Checks a journal from its first byte to its last and yields its records.
///
/// What is written last may be torn by a crash: cut, or with pages that never reached the disk and read as zeros. It is
/// told from damage by what every record says was on stable storage before it was written: nothing before that point can
/// be torn, and a torn line behind it has no end or zeros in it.
package struct JournalReader: Sendable {
    /// Where the whole records end, and how much behind them is torn.
    package struct End: Equatable, Sendable {
        /// The length of all whole records in bytes.
        package var wholeByteCount: Int
        /// The number of bytes behind them.
        package var tornByteCount: Int

        /// Creates an end from both lengths.
        package init(wholeByteCount: Int, tornByteCount: Int) {
            self.wholeByteCount = wholeByteCount
            self.tornByteCount = tornByteCount
        }
    }

    private struct BadLine {
        var record: Int
        var offset: Int
        var reason: String
        /// Whether it can come from a crash: it has no end, or zeros in it.
        var mayBeTorn: Bool
    }

    /// The beginning of a line whose end was not read yet.
    private var partial: [UInt8] = []
    /// Where the next line begins.
    private var offset = 0
    private var recordCount = 0
    private var bad: BadLine?
    /// The highest ``JournalEntry/synced`` of all whole records.
    private var synced = 0
    private var beginsLikeJournal = true
    private var members: [JSONMember] = []

    /// Creates a reader that waits for the journal's first byte.
    package init() {}

    /// Takes the next bytes.
    ///
    /// - Parameters:
    ///   - bytes: What follows the bytes of earlier calls; may end anywhere.
    ///   - apply: Takes each record that is whole and comes before all that is not.
    /// - Complexity: O(*n*) in the number of bytes.
    package mutating func read(_ bytes: borrowing Span<UInt8>, _ apply: (JournalEntry) -> Void) {
        var start = 0
        for index in 0..<bytes.count where bytes[index] == UInt8(ascii: "\n") {
            if partial.isEmpty {
                take(bytes, start..<index, apply)
            } else {
                Self.append(bytes, start..<index, to: &partial)
                let line = partial
                partial.removeAll(keepingCapacity: true)
                take(line.span, 0..<line.count, apply)
            }
            start = index + 1
        }
        Self.append(bytes, start..<bytes.count, to: &partial)
    }

    /// Takes the end of the journal.
    ///
    /// - Returns: Where to go on.
    /// - Throws: ``JournalDamage`` if a record is not whole that had been on stable storage.
    package mutating func finish() throws(JournalDamage) -> End {
        let end = offset + partial.count
        if !partial.isEmpty {
            recordCount += 1
            let rest = partial
            note(rest.span, 0..<rest.count, "it has no end", mayBeTorn: true)
        }
        guard let bad else { return End(wholeByteCount: offset, tornByteCount: 0) }
        guard bad.mayBeTorn, bad.offset >= synced, bad.record > 1 || beginsLikeJournal else {
            throw JournalDamage(
                record: bad.record,
                offset: bad.offset,
                reason: bad.reason,
                isForeign: bad.record == 1 && !beginsLikeJournal,
            )
        }
        return End(wholeByteCount: bad.offset, tornByteCount: end - bad.offset)
    }

    private mutating func take(_ bytes: borrowing Span<UInt8>, _ line: Range<Int>, _ apply: (JournalEntry) -> Void) {
        recordCount += 1
        do throws(JournalRecordError) {
            let entry = try JournalEntry(bytes, line, members: &members)
            if case .head = entry.record {
                guard recordCount == 1 else { throw JournalRecordError(reason: "it is a second head") }
            } else if recordCount == 1 {
                throw JournalRecordError(reason: "the first record must be the head")
            }
            // Whatever else is wrong: what it says was on stable storage cannot be torn.
            synced = max(synced, entry.synced)
            guard entry.synced <= offset else {
                throw JournalRecordError(reason: "\(entry.synced - offset) bytes before it are gone")
            }
            if bad == nil { apply(entry) }
        } catch {
            var hasZeros = false
            for index in line where bytes[index] == 0 { hasZeros = true }
            note(bytes, line, error.reason, mayBeTorn: hasZeros)
        }
        offset += line.count + 1
    }

    private mutating func note(
        _ bytes: borrowing Span<UInt8>,
        _ line: Range<Int>,
        _ reason: String,
        mayBeTorn: Bool,
    ) {
        guard bad == nil else { return }
        bad = BadLine(record: recordCount, offset: offset, reason: reason, mayBeTorn: mayBeTorn)
        guard recordCount == 1 else { return }
        for (index, byte) in zip(line, JournalEntry.headStart) where bytes[index] != byte && bytes[index] != 0 {
            beginsLikeJournal = false
        }
    }

    private static func append(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, to buffer: inout [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0[range]) }
    }
}
