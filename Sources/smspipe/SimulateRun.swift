// SPDX-License-Identifier: Apache-2.0

import Dispatch
import GatewaySimulator
import Glibc
import MessagePipe
import PipeRuntime
import Synchronization

/// What a started simulator tells those who want to use it.
struct SimulateReadyLine {
    private let server: SimulatorServer

    init(_ server: SimulatorServer) {
        self.server = server
    }

    private var inbox: String { "\(server.endpoint)/_sim/" }

    /// One line of JSON for a parent process.
    var text: String {
        var members = [
            ("endpoint", server.endpoint), ("inbox", inbox), ("accessKeyId", server.accessKeyID),
            ("accessKeySecret", server.accessKeySecret),
        ]
        if let token = server.securityToken { members.append(("securityToken", token)) }
        var line: [UInt8] = []
        for (name, value) in members {
            line.append(UInt8(ascii: line.isEmpty ? "{" : ","))
            JSONText.appendString(name, to: &line)
            line.append(UInt8(ascii: ":"))
            JSONText.appendString(value, to: &line)
        }
        return String(decoding: line, as: UTF8.self) + "}"
    }

    /// The variables for a command that is run against it; `nil` for one that must not be there.
    var environment: [String: String?] {
        [
            "SMSPIPE_ENDPOINT": server.endpoint,
            "SMSPIPE_SIMULATOR_INBOX": inbox,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": server.accessKeyID,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": server.accessKeySecret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": server.securityToken,
        ]
    }
}

/// Notices what ends a simulator: the end of standard input, a signal, or the end of its command.
final class SimulateEnding: Sendable {
    private enum State {
        /// No command is there, or none yet; a signal ends the simulator.
        case waiting
        /// A signal came; no command is started any more.
        case ended
        /// A command runs and gets the signals.
        case running(pid_t)
    }

    /// What to end with; what comes first counts.
    private let status = Mutex<Int32?>(nil)
    private let ended = DispatchSemaphore(value: 0)
    private let state = Mutex(State.waiting)

    init() {
        // Under nohup the simulator and its command stay when the terminal is closed.
        let numbers = [SIGTERM, SIGINT, SIGHUP].filter { $0 != SIGHUP || !Signals.isIgnored(SIGHUP) }
        Signals.watch(numbers) { [weak self] number in
            // A command gets the signal and decides; TERM is the usual end of a server.
            guard let self, !passToCommand(number) else { return }
            end(number == SIGTERM ? 0 : 128 + number)
        }
    }

    /// Waits until standard input ends or a signal comes, and returns the exit status.
    func wait() -> Int32 {
        DispatchQueue.global().async { [self] in
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
                if count > 0 || (count < 0 && errno == EINTR) { continue }
                break
            }
            end(0)
        }
        return firstStatus()
    }

    /// Starts a command and waits until it ends.
    ///
    /// - Parameter spawn: Starts it, sets its process, and returns the system's error, or 0.
    /// - Returns: Its status as a shell would have it.
    /// - Throws: That error.
    func wait(forCommand spawn: (inout pid_t) -> Int32) throws(CommandError) -> Int32 {
        // A signal that comes meanwhile waits at the lock until the command is there to get it.
        let started = state.withLock { state -> (process: pid_t, error: Int32) in
            guard case .waiting = state else { return (0, 0) }
            var process: pid_t = 0
            let error = spawn(&process)
            if error == 0 { state = .running(process) }
            return (process, error)
        }
        guard started.error == 0 else { throw CommandError(number: started.error) }
        if started.process != 0 { watch(started.process) }
        return firstStatus()
    }

    private func watch(_ process: pid_t) {
        DispatchQueue.global().async { [self] in
            var status: Int32 = 0
            while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
            // Its number may be another process's soon.
            state.withLock { $0 = .ended }
            let signal = status & 0x7F
            end(signal == 0 ? (status >> 8) & 0xFF : 128 + signal)
        }
    }

    private func end(_ status: Int32) {
        self.status.withLock { $0 = $0 ?? status }
        ended.signal()
    }

    private func firstStatus() -> Int32 {
        ended.wait()
        return status.withLock { $0 ?? 0 }
    }

    private func passToCommand(_ number: Int32) -> Bool {
        state.withLock { state in
            guard case .running(let process) = state else {
                state = .ended
                return false
            }
            // The terminal has sent INT to the command already; what is passed on is what came to us alone.
            if number != SIGINT { kill(process, number) }
            return true
        }
    }
}

/// Why a command cannot be run: an error number of the system.
struct CommandError: Error {
    let number: Int32
}

/// A command that is run against a simulator.
struct SimulateChild {
    private let arguments: [String]
    private let environment: [String: String?]

    init(_ arguments: [String], environment: [String: String?]) {
        self.arguments = arguments
        self.environment = environment
    }

    /// Runs the command and returns its status as a shell would: 127 if it is not found, 126 if it cannot be run.
    func run(passing ending: SimulateEnding) -> Int32 {
        do throws(CommandError) {
            return try ending.wait { spawn(&$0) }
        } catch {
            let reason = unsafe String(cString: strerror(error.number))
            printDiagnostic("\(arguments[0]) cannot be run: \(reason).")
            return error.number == ENOENT ? 127 : 126
        }
    }

    private func spawn(_ process: inout pid_t) -> Int32 {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // What this process ignores or blocks, the command must not inherit; what it was told to ignore, it must.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGPIPE, SIGTERM, SIGINT, SIGHUP] where number != SIGHUP || !Signals.isIgnored(SIGHUP) {
            unsafe sigaddset(&signals, number)
        }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var variables = processEnvironment
        for (name, value) in environment { variables[name] = value }
        return unsafe withCStrings(arguments) { arguments in
            unsafe withCStrings(variables.map { "\($0.key)=\($0.value)" }) { variables in
                guard let name = unsafe arguments[0] else { return EINVAL }
                return unsafe posix_spawnp(&process, name, nil, &attributes, arguments, variables)
            }
        }
    }

    /// Calls a function with the texts as C wants them: pointers, and a null pointer after the last.
    private func withCStrings(
        _ texts: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32,
    ) -> Int32 {
        let pointers = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        return unsafe pointers.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return EINVAL }
            return unsafe body(start)
        }
    }
}
