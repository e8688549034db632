// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Glibc
import MessagePipe
import PipeRuntime
import Synchronization

/// The endpoint that an option names.
///
/// - Throws: The exit status, if it is none, or would need `--allow-http`.
func gatewayEndpoint(_ text: String, allowsHTTP: Bool) throws -> GatewayEndpoint {
    guard let endpoint = GatewayEndpoint(text) else {
        throw end(.configuration, "--endpoint is not an address; give https://host or https://host:port.")
    }
    guard endpoint.isEncrypted || endpoint.isLoopback || allowsHTTP else {
        throw end(
            .configuration,
            "http to \(endpoint.host) would carry phone numbers in the clear; use https, or add --allow-http.",
        )
    }
    return endpoint
}

/// The credentials of the first place that has some.
///
/// - Parameters:
///   - environment: The variables that hold or name them.
///   - profile: The profile that an option names.
///   - caFile: A file of further trusted certificates, for places on other machines.
///   - hint: What else may be done where there are none.
/// - Returns: The credentials, and where they were.
/// - Throws: The exit status, where there are none.
func findCredentials(
    _ environment: [String: String],
    profile: String?,
    caFile: String?,
    orElse hint: String,
) throws -> CredentialsChain.Found {
    let client = CredentialsClient(environment: environment, caFile: caFile)
    let chain = CredentialsChain(
        environment: environment,
        profile: profile,
        read: readCredentialsFile,
        epochSeconds: { Clock.epochSeconds },
        nonce: {
            var generator = SystemRandomNumberGenerator()
            return Nonce(using: &generator)
        },
        ask: { request throws(CredentialsUnavailable) in try client.ask(request) },
    )
    do throws(CredentialsNotFound) {
        return try chain.find()
    } catch {
        throw end(
            .noPermission,
            """
            \(error)
            Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, \(hint)
            """,
        )
    }
}

/// Asks the place of temporary credentials for new ones, and no other: they are for the same account.
///
/// The reason why there are none is told when it is another than the last.
func renewal(of found: CredentialsChain.Found) -> @Sendable () -> Credentials? {
    let told = TextBox()
    return {
        do throws(CredentialsUnavailable) {
            let credentials = try found.source.credentials()
            told.text.withLock { $0 = "" }
            return credentials
        } catch {
            let isNew = told.text.withLock { text in
                defer { text = error.reason }
                return text != error.reason
            }
            if isNew {
                printDiagnostic(
                    """
                    the temporary credentials cannot be renewed yet: \(found.source.name): \(error); trying again, and with \
                    the old ones as long as the gateway takes them.
                    """
                )
            }
            return nil
        }
    }
}

/// A text that closures share.
private final class TextBox: Sendable {
    let text = Mutex("")
}

/// The proxy on the way to an endpoint, once the certificates that an option names are found good.
///
/// - Throws: The exit status, if either is bad.
func proxy(for endpoint: GatewayEndpoint, caFile: String?, _ environment: [String: String]) throws -> Proxy? {
    do throws(GatewayConfigurationError) {
        if let caFile { try GatewayConfigurationError.checkCertificates(caFile) }
        return try Proxy.proxy(for: endpoint, environment: environment)
    } catch {
        throw end(.configuration, "\(error).")
    }
}

/// How many files a run has open beside its inputs, at the least.
private let ownDescriptorCount = 32
/// How many a run needs with few connections; with less, not even an event loop can be made.
let leastDescriptorCount = 24

/// Opens the files that a command names, or standard input where it names none.
///
/// - Throws: The exit status, for the first that cannot be opened, or that is the output too.
func openInputs(_ files: [String]) throws -> [(name: String, descriptor: Int32)] {
    let limit = DescriptorLimit.raise()
    guard limit >= leastDescriptorCount else {
        throw end(
            .noInput,
            "only \(limit) files may be open here; smspipe needs \(leastDescriptorCount). Raise ulimit -n.",
        )
    }
    guard files.count <= max(limit - ownDescriptorCount, 1) else {
        throw end(
            .noInput,
            "\(files.count) files are more than can be open at once here; join them instead: cat … | smspipe.",
        )
    }
    let sources: [InputSource] =
        files.isEmpty ? [.standardInput] : files.map { $0 == "-" ? .standardInput : .file($0) }
    let inputs: [(name: String, descriptor: Int32)]
    do {
        inputs = try InputSource.open(sources)
    } catch {
        throw end(.noInput, text(of: error))
    }
    // Response lines are messages: what is written would be read, and sent, without end.
    if let output = FileIdentity(of: STDOUT_FILENO),
        let input = inputs.first(where: { FileIdentity(of: $0.descriptor) == output })
    {
        throw end(
            .usage,
            "\(input.name) is the output, too, and each line of it would be read again; write to another file.",
        )
    }
    return inputs
}

/// What is said of an input that cannot be opened: messages that were given for names of files are not repeated.
private func text(of error: InputError) -> String {
    if error.name.hasPrefix("{") {
        return "an argument is the name of a file, and one of these is a message; give messages on standard input."
    }
    if let command = Spelling.nearest(to: error.name, among: Smspipe.commandNames) {
        return "\(error); did you mean smspipe \(command)?"
    }
    return "\(error); check the path and its permissions."
}
