// SPDX-License-Identifier: Apache-2.0

import MessagePipe
import PipeRuntime
import Testing

struct JournalCrashTests {
    private static let lineCount = 20
    /// How many inputs are tried at every point: few in a debug build.
    #if DEBUG
        private static let seedCount: UInt64 = 1
    #else
        private static let seedCount: UInt64 = 20
    #endif

    /// Runs until a run comes to its end, then once more, which must send nothing and answer the same.
    private static func finish(_ world: inout JournalWorld, _ lines: [String]) throws {
        world.disk.plan(.fails, at: nil)
        guard try world.run(lines) == .finished else { throw world.fail("a run on a sound disk does not finish") }
        let requestCount = world.requestCount
        let content = world.disk.content(of: "journal")
        // What was claimed is on stable storage, or it would be gone now.
        world.disk.restart(leaving: .nothing)
        guard try world.run(lines) == .finished else { throw world.fail("a replayed run does not finish") }
        guard world.requestCount == requestCount else { throw world.fail("a replayed run sends") }
        guard world.disk.content(of: "journal") == content else { throw world.fail("a replayed run writes") }
        try world.checkEnd(lines)
    }

    @Test(arguments: SimulatedDisk.Fault.allCases)
    func `nothing is lost or sent twice, whichever system call goes wrong`(fault: SimulatedDisk.Fault) throws {
        let isCrash = fault == .crashesBefore || fault == .crashesAfterwards
        var points = 0
        for seed in 1...Self.seedCount {
            let lines = JournalWorld.lines(seed: seed, count: Self.lineCount)
            var call = 0
            while true {
                var wasReached = false
                // After a failed sync, too, the power may go before anything else is written.
                for remains in SimulatedDisk.Remains.allCases {
                    var world = JournalWorld(seed: seed)
                    world.disk.plan(fault, at: call)
                    let end = try world.run(lines)
                    wasReached = world.disk.callCount > call
                    if wasReached, isCrash { #expect(end == .crashed) }
                    if end != .finished {
                        world.noteCrash(lines)
                        world.disk.restart(leaving: remains)
                    }
                    try Self.finish(&world, lines)
                    points += 1
                    if end == .finished { break }
                }
                guard wasReached else { break }
                call += 1
            }
        }
        print("\(fault): \(points) points")
    }

    @Test func `a crash in the midst of every recovery is survived`() throws {
        var points = 0
        for seed in 1...Self.seedCount {
            let lines = JournalWorld.lines(seed: seed, count: Self.lineCount)
            for first in stride(from: 3, to: 60, by: 8) {
                var second = 0
                while true {
                    var world = JournalWorld(seed: seed)
                    world.disk.plan(.crashesAfterwards, at: first)
                    guard try world.run(lines) == .crashed else { break }
                    world.noteCrash(lines)
                    world.disk.restart(leaving: first % 2 == 0 ? .pages : .beginning)
                    world.disk.plan(.crashesAfterwards, at: second)
                    let isOver = try world.run(lines) == .finished
                    world.disk.restart(leaving: second % 2 == 0 ? .nothing : .otherPages)
                    try Self.finish(&world, lines)
                    points += 1
                    if isOver { break }
                    second += 1
                }
            }
        }
        print("crashes in a recovery: \(points) points")
    }

    @Test func `input may grow, lose lines and change its order between the runs`() throws {
        var replayed = 0
        for seed in 1...(10 * Self.seedCount) {
            var random = SeededGenerator(seed: seed)
            let all = JournalWorld.lines(seed: seed, count: 40)
            var world = JournalWorld(seed: seed)
            for crash in [12, 19, 27] {
                // Of the lines with an Id the first stands for it, so those keep their order.
                var lines = all.filter { _ in !random.oneIn(4) }.filter { !$0.contains("\"Id\"") }
                lines.shuffle(using: &random)
                world.disk.plan(.crashesBefore, at: crash)
                if try world.run(lines) == .crashed { world.noteCrash(lines) }
                world.disk.restart(leaving: .everything)
            }
            try Self.finish(&world, all)
            replayed += world.replayedCount
        }
        #expect(replayed > 100)
    }
}
