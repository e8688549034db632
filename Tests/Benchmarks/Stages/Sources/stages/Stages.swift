// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The stages of a message's way, one after the other on one thread: how long each takes, and how many bytes come out.
///
/// `stages FILE [REPETITIONS [BATCHSIZE [journal]]]` prints a table. Each stage is a function of its own, so that callgrind can
/// tell its instructions.
@main
struct Stages {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count > 1, let input = readInput(arguments[1]) else {
            print("usage: stages FILE [REPETITIONS [BATCHSIZE [journal]]]")
            exit(64)
        }
        let repetitions = arguments.count > 2 ? Int(arguments[2]) ?? 5 : 5
        let batchSize = arguments.count > 3 ? Int(arguments[3]) ?? 100 : 100
        let keepsJournal = arguments.count > 4 && arguments[4] == "journal"
        var best = StageTimes()
        for _ in 0..<repetitions {
            var run = StageRun(batchSize: batchSize, keepsJournal: keepsJournal)
            run.pass(input)
            best.keepBest(of: run.times)
        }
        best.printTable()
    }

    private static func readInput(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { bytes in
                unsafe read(descriptor, bytes.baseAddress.map { unsafe $0 + filled }, bytes.count - filled)
            }
            guard count > 0 else { return nil }
            filled += count
        }
        return bytes
    }
}
