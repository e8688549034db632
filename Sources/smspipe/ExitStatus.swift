// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import MessagePipe
import PipeRuntime

/// The statuses that smspipe ends with; from 64 on those of `sysexits.h`.
enum ExitStatus: Int32 {
    case success = 0
    /// Every line was answered; some were rejected, invalid or skipped.
    case someNotSent = 1
    /// Every line was answered; some are unknown.
    case someUnknown = 3
    case usage = 64
    case noInput = 66
    case unavailable = 69
    case software = 70
    case cannotCreate = 73
    case ioError = 74
    case noPermission = 77
    case configuration = 78

    /// Which outcomes make the status non-zero.
    enum FailOn: String, CaseIterable, ExpressibleByArgument {
        case any, unknown, never
    }

    /// The status of a run that has ended.
    ///
    /// The highest of those from 69 on wins over unknown outcomes, and those over others. A signal, or an output that was
    /// closed, ends the process as it would end any other. With `never` it is success whenever every line was answered.
    static func status(of result: PipeResult, failOn: FailOn) -> Int32 {
        let end = status(result.endingSignal, result.stops, result.inputError, failOn)
        let tally = result.progress.tally
        let isSomeNotSent = tally[.rejected] + tally[.invalid] + tally[.skipped] > 0
        return end ?? status(isSomeOpen: tally[.unknown] > 0, isSomeNotDone: isSomeNotSent, failOn)
    }

    /// The status of a run of `status` that has ended: what is open may be asked about again, what failed is lost.
    static func status(of result: StatusResult, failOn: FailOn) -> Int32 {
        let end = status(result.endingSignal, result.stops, result.inputError, failOn)
        let tally = result.tally
        let isSomeOpen = tally.waiting + tally.notFound + tally.unanswered + tally.unknown > 0
        let passedOn = tally.unsent + tally.refused + tally.unsearchable.count + tally.foreign.count
        let isSomeNotDelivered = tally.failed + passedOn > 0
        return end ?? status(isSomeOpen: isSomeOpen, isSomeNotDone: isSomeNotDelivered, failOn)
    }

    /// The status of a run of `receipts` that has ended, which it does by a signal or because it cannot go on.
    static func status(of result: ReceiptsResult) -> Int32 {
        status(result.endingSignal, result.stops, nil, .any) ?? success.rawValue
    }

    /// The status that the way in which a run has ended asks for; `nil` if that is up to its lines.
    private static func status(
        _ endingSignal: Int32?,
        _ stops: [StopReason],
        _ inputError: InputError?,
        _ failOn: FailOn,
    ) -> Int32? {
        if let endingSignal { return 128 + endingSignal }
        if stops.contains(.outputClosed) { return 128 + SIGPIPE }
        // What could not be read was not answered, and what could not be written neither.
        let isAnswered = inputError == nil && !stops.contains { if case .outputFailed = $0 { true } else { false } }
        if failOn == .never, isAnswered { return success.rawValue }
        return (stops.compactMap(status) + (inputError == nil ? [] : [.ioError])).map(\.rawValue).max()
    }

    private static func status(isSomeOpen: Bool, isSomeNotDone: Bool, _ failOn: FailOn) -> Int32 {
        if isSomeOpen { return someUnknown.rawValue }
        return isSomeNotDone && failOn == .any ? someNotSent.rawValue : success.rawValue
    }

    /// The status that a reason to stop asks for; `nil` for those that end the process as they would end any other.
    private static func status(of stop: StopReason) -> ExitStatus? {
        switch stop {
        case .credentials: .noPermission
        case .account, .unreachable: .unavailable
        case .outputFailed, .journalFailed: .ioError
        case .signal, .outputClosed: nil
        }
    }
}

/// Prints one sentence on standard error.
func printDiagnostic(_ text: String) {
    writeToStandardError("smspipe: \(text)\n")
}

/// Writes text to standard error; where that fails there is nobody to tell.
func writeToStandardError(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Ends the process with a sentence that says what to do.
func end(_ status: ExitStatus, _ text: String) -> ExitCode {
    printDiagnostic(text)
    return ExitCode(status.rawValue)
}
