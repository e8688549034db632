// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dispatch
import Glibc
import PipeRuntime
import Synchronization

/// One line on standard error that is written over while the run goes on, and a summary at its end.
final class ProgressDisplay: Sendable {
    /// When it is shown.
    enum Mode: String, CaseIterable, ExpressibleByArgument {
        case auto, always, never

        /// Whether to show it: `auto` where standard error is a terminal.
        var isShown: Bool {
            switch self {
            case .auto: isatty(STDERR_FILENO) == 1
            case .always: true
            case .never: false
            }
        }
    }

    private struct State {
        var isEnded = false
        var isWriting = false
    }

    /// A terminal may be stopped, so lines are written on a queue of their own: nothing waits for them.
    private let queue = DispatchQueue(label: "progress")
    private let colours: Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - run: The run to watch.
    ///   - environment: `NO_COLOR` and `TERM` say whether the line may be coloured.
    init(_ run: Run<Pipe>, environment: [String: String]) {
        colours = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb" && isatty(STDERR_FILENO) == 1
        run.report(every: .milliseconds(200)) { [self] in show($0) }
    }

    /// Ends the display: the line is cleared and the summary takes its place.
    func end(_ progress: Progress) {
        state.withLock { $0.isEnded = true }
        writeToStandardError("\r\(Self.clearLine)\(progress.finalLine)\n")
    }

    private static let clearLine = "\u{1B}[K"

    private func show(_ progress: Progress) {
        let isFree = state.withLock { state in
            guard !state.isEnded, !state.isWriting else { return false }
            state.isWriting = true
            return true
        }
        guard isFree else { return }
        queue.async { [self] in
            let line = progress.line(width: max(Self.columns - 1, 10))
            let text = "\r" + (colours ? "\u{1B}[2m\(line)\u{1B}[0m" : line) + Self.clearLine
            if !state.withLock({ $0.isEnded }) { writeToStandardError(text) }
            state.withLock { $0.isWriting = false }
        }
    }

    /// The terminal's width; 80 where it is not known.
    private static var columns: Int {
        var size = winsize()
        guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
