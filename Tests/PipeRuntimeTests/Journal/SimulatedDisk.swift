// SPDX-License-Identifier: Apache-2.0

import Glibc
import MessagePipe
import PipeRuntime
import Synchronization

/// A file system of which one system call fails, is cut short, or is the last before a crash.
///
/// It knows what is on stable storage and what is not: a crash leaves of the rest nothing, all, a beginning, or some pages.
final class SimulatedDisk: JournalStorage, Sendable {
    /// What becomes of one system call.
    enum Fault: Equatable, CaseIterable {
        /// It does nothing and fails.
        case fails
        /// It does what it should, and fails nevertheless.
        case failsAfterwards
        /// An append takes a part only.
        case isShort
        /// An append takes a part, and the next one finds the disk full.
        case fills
        /// The machine stops before it.
        case crashesBefore
        /// The machine stops after it.
        case crashesAfterwards
    }

    /// What a crash leaves of bytes that were not synced.
    enum Remains: CaseIterable {
        case nothing, everything, beginning, pages, otherPages
        /// Only the process has ended: all is still there, and not yet on stable storage.
        case pending
    }

    private struct Inode {
        var content: [UInt8] = []
        var stable: [UInt8] = []
    }

    private struct State {
        var inodes: [Inode] = []
        var names: [String: Int] = [:]
        var stableNames: [String: Int] = [:]
        var callCount = 0
        var faultAt: Int?
        var fault = Fault.fails
        var isFull = false
        var isCrashed = false
        var random: SeededGenerator
    }

    private static let crash = StorageError("crash", 0)
    private static let pageSize = 64
    private let state: Mutex<State>

    init(seed: UInt64) {
        state = Mutex(State(random: SeededGenerator(seed: seed)))
    }

    /// Lets a call from now on go wrong, counted from 0; `nil` for none.
    func plan(_ fault: Fault, at call: Int?) {
        state.withLock { state in
            state.callCount = 0
            state.faultAt = call
            state.fault = fault
            state.isFull = false
        }
    }

    /// How many calls there were since the last plan.
    var callCount: Int { state.withLock { $0.callCount } }

    /// Whether the machine has stopped.
    var isCrashed: Bool { state.withLock { $0.isCrashed } }

    /// The content of a file as a process sees it.
    func content(of path: String) -> [UInt8] {
        state.withLock { state in state.names[path].map { state.inodes[$0].content } ?? [] }
    }

    /// Starts the machine again.
    func restart(leaving remains: Remains) {
        state.withLock { state in
            state.isCrashed = false
            guard remains != .pending else { return }
            if remains == .nothing { state.names = state.stableNames }
            for index in state.inodes.indices {
                state.inodes[index].content = Self.remains(of: state.inodes[index], remains, &state.random)
                state.inodes[index].stable = state.inodes[index].content
            }
            state.stableNames = state.names
        }
    }

    private static func remains(of inode: Inode, _ remains: Remains, _ random: inout SeededGenerator) -> [UInt8] {
        let stable = inode.stable.count
        // A cut that was not synced may or may not be on the disk.
        guard inode.content.count > stable else {
            return remains == .everything || random.oneIn(2) ? inode.content : inode.stable
        }
        var content = inode.content
        switch remains {
        case .nothing: return inode.stable
        case .everything: return content
        case .beginning: return Array(content[..<Int.random(in: stable...content.count, using: &random)])
        case .pages, .otherPages:
            for start in stride(from: stable / pageSize * pageSize, to: content.count, by: pageSize)
            where random.oneIn(remains == .pages ? 2 : 4) {
                for index in max(start, stable)..<min(start + pageSize, content.count) { content[index] = 0 }
            }
            return content
        case .pending: return content
        }
    }

    // MARK: - Calls

    /// Does a call, unless it goes wrong.
    private func call<Result>(
        _ name: String,
        _ body: (inout State) throws(StorageError) -> Result,
    ) throws(StorageError) -> Result {
        do {
            return try state.withLock { state in
                if state.isCrashed { throw Self.crash }
                let fault = state.callCount == state.faultAt ? state.fault : nil
                state.callCount += 1
                switch fault {
                case .fails: throw StorageError(name, EIO)
                case .crashesBefore:
                    state.isCrashed = true
                    throw Self.crash
                case .failsAfterwards:
                    _ = try body(&state)
                    throw StorageError(name, EIO)
                case .crashesAfterwards:
                    _ = try body(&state)
                    state.isCrashed = true
                    throw Self.crash
                case .isShort, .fills, nil:
                    return try body(&state)
                }
            }
        } catch let error as StorageError {
            throw error
        } catch {
            preconditionFailure("only storage errors are thrown")
        }
    }

    func open(path: String, creates: Bool) throws(StorageError) -> any JournalStorageFile {
        try call("open") { state throws(StorageError) in
            if let index = state.names[path] { return File(disk: self, index: index) }
            guard creates else { throw StorageError("open", ENOENT) }
            return File(disk: self, index: Self.make(path, &state))
        }
    }

    func openForReading(path: String) throws(StorageError) -> any JournalStorageFile {
        try open(path: path, creates: false)
    }

    func resolved(path: String) throws(StorageError) -> String { path }

    func remove(path: String) throws(StorageError) {
        try call("unlink") { state throws(StorageError) in state.names[path] = nil }
    }

    func create(path: String, like original: String) throws(StorageError) -> any JournalStorageFile {
        try call("open") { state throws(StorageError) in File(disk: self, index: Self.make(path, &state)) }
    }

    func rename(from path: String, to newPath: String) throws(StorageError) {
        try call("rename") { state throws(StorageError) in
            state.names[newPath] = state.names.removeValue(forKey: path)
        }
    }

    func syncDirectory(of path: String) throws(StorageError) {
        try call("sync of the directory") { state throws(StorageError) in state.stableNames = state.names }
    }

    private static func make(_ path: String, _ state: inout State) -> Int {
        state.inodes.append(Inode())
        state.names[path] = state.inodes.count - 1
        return state.inodes.count - 1
    }

    private struct File: JournalStorageFile {
        let disk: SimulatedDisk
        let index: Int

        func lock() throws(StorageError) -> Int32? {
            try disk.call("lock") { _ throws(StorageError) in nil }
        }

        func isFile(at path: String) throws(StorageError) -> Bool {
            try disk.call("stat") { state throws(StorageError) in state.names[path] == index }
        }

        func read(into buffer: inout [UInt8], at position: Int) throws(StorageError) -> Int {
            let bytes = try disk.call("read") { state throws(StorageError) in
                Array(state.inodes[index].content.dropFirst(position).prefix(buffer.count))
            }
            for (offset, byte) in bytes.enumerated() { buffer[offset] = byte }
            return bytes.count
        }

        func append(_ bytes: ArraySlice<UInt8>) throws(StorageError) -> Int {
            try disk.call("write") { state throws(StorageError) in
                guard !state.isFull else { throw StorageError("write", ENOSPC) }
                var count = bytes.count
                if state.callCount - 1 == state.faultAt, state.fault == .isShort || state.fault == .fills {
                    count = Int.random(in: 1...max(1, bytes.count - 1), using: &state.random)
                    state.isFull = state.fault == .fills
                }
                state.inodes[index].content.append(contentsOf: bytes.prefix(count))
                return count
            }
        }

        func sync() throws(StorageError) {
            try disk.call("sync") { state throws(StorageError) in
                state.inodes[index].stable = state.inodes[index].content
            }
        }

        func truncate(to byteCount: Int) throws(StorageError) {
            try disk.call("truncate") { state throws(StorageError) in
                state.inodes[index].content.removeLast(max(0, state.inodes[index].content.count - byteCount))
            }
        }
    }
}

extension RandomNumberGenerator {
    /// Whether something with a chance of one in `outcomes` happens.
    mutating func oneIn(_ outcomes: Int) -> Bool {
        Int.random(in: 0..<outcomes, using: &self) == 0
    }
}
