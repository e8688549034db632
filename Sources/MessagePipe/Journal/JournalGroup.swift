// SPDX-License-Identifier: Apache-2.0

/// Records that go to stable storage together, made into text by whoever writes them.
package struct JournalGroup: Sendable {
    let records: [JournalRecord]
    /// When they are written, in milliseconds since 1970.
    let time: Int64

    /// Appends the records as lines.
    ///
    /// - Parameters:
    ///   - text: Receives the lines, to be appended to the journal as they are.
    ///   - synced: How many bytes of the journal are on stable storage.
    package func append(to text: inout [UInt8], synced: Int) {
        for record in records { JournalEntry(record, time: time, synced: synced).append(to: &text) }
    }
}
