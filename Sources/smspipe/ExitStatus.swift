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
        if let signal = result.endingSignal { return 128 + signal }
        if result.stops.contains(.outputClosed) { return 128 + SIGPIPE }
        var reasons = result.stops.compactMap(status)
        if result.inputError != nil { reasons.append(.ioError) }
        // What could not be read was not answered, and what could not be written neither.
        if failOn == .never, !reasons.contains(.ioError) { return success.rawValue }
        if let highest = reasons.map(\.rawValue).max() { return highest }
        let tally = result.progress.tally
        if tally[.unknown] > 0 { return someUnknown.rawValue }
        let isSomeNotSent = tally[.rejected] + tally[.invalid] + tally[.skipped] > 0
        return isSomeNotSent && failOn == .any ? someNotSent.rawValue : success.rawValue
    }
}

extension ExitStatus {
    /// The status that a reason to stop asks for; `nil` for those that end the process as they would end any other.
    private static func status(of stop: StopReason) -> ExitStatus? {
        switch stop {
        case .credentials: .noPermission
        case .account, .unreachable: .unavailable
        case .storage: .ioError
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
