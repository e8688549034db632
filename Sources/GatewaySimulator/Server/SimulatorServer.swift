// SPDX-License-Identifier: Apache-2.0

import Glibc
import MessagePipe
import NIOCore
import NIOHTTP1
import NIOPosix

/// A simulated gateway that listens on a port of this machine.
///
/// It has event loop threads of its own and can be started any number of times in one process.
package final class SimulatorServer: Sendable {
    /// Where it listens, such as `http://127.0.0.1:41234`.
    package let endpoint: String
    /// The id of an active access key: the first lasting one, or else the first temporary one.
    package let accessKeyID: String
    /// The secret of that key.
    package let accessKeySecret: String
    /// The token that must come with it, if it is a temporary one.
    package let securityToken: String?

    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    /// Starts a simulated gateway.
    ///
    /// - Parameters:
    ///   - configuration: What it is set to do.
    ///   - host: The address to listen on; every address but a loopback one lets other machines in.
    ///   - port: The port; 0 takes a free one.
    ///   - clock: Tells the time.
    /// - Returns: The running server.
    /// - Throws: ``SimulatorStartError`` if the port is taken or the address is not this machine's.
    package static func start(
        configuration: SimulatorConfiguration,
        host: String = "127.0.0.1",
        port: Int = 0,
        clock: @escaping @Sendable () -> WallTime = { .system },
    ) throws -> SimulatorServer {
        let seed = configuration.seed ?? UInt64.random(in: .min ... .max)
        var keyGenerator = SeededGenerator(seed: seed)
        let account =
            configuration.account
            ?? .default(
                accessKeyID: keyGenerator.nextKey(prefix: "LTAI5t", count: 18),
                accessKeySecret: keyGenerator.nextKey(prefix: "", count: 30),
            )
        let state = SimulatorState(
            configuration: configuration,
            account: account,
            seed: seed,
            isLoopback: isLoopback(host),
            clock: clock,
        )
        let group = MultiThreadedEventLoopGroup(numberOfThreads: min(2, System.coreCount))
        do {
            let channel = try bootstrap(group, state).bind(host: host, port: port).wait()
            if let address = configuration.receiptsTo {
                ReceiptPusher(state, address: address).start(on: group.next())
            }
            return SimulatorServer(group, channel, account: account, host: host)
        } catch {
            try? group.syncShutdownGracefully()
            throw SimulatorStartError(error)
        }
    }

    private init(
        _ group: MultiThreadedEventLoopGroup,
        _ channel: any Channel,
        account: SimulatedAccount,
        host: String,
    ) {
        self.group = group
        self.channel = channel
        let port = channel.localAddress?.port ?? 0
        endpoint = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        let keys = account.accessKeys.filter { $0.value.state == .active }.sorted { $0.key < $1.key }
        let key = keys.first { $0.value.securityToken == nil } ?? keys.first
        securityToken = key?.value.securityToken
        accessKeyID = key?.key ?? ""
        accessKeySecret = key?.value.secret ?? ""
    }

    /// Whether only this machine can reach an address.
    ///
    /// - Parameter host: The address to listen on.
    /// - Returns: `true` for `localhost`, `::1` and the addresses of 127.0.0.0/8.
    package static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// Closes the port and all connections, and ends the threads.
    ///
    /// - Throws: NIO's error if a thread cannot be ended.
    package func shutdown() throws {
        try? channel.close().wait()
        try group.syncShutdownGracefully()
    }

    private static func bootstrap(_ group: MultiThreadedEventLoopGroup, _ state: SimulatorState) -> ServerBootstrap {
        let load = ServerLoad(maximumBodyBytes: state.configuration.maximumArrivingBytes)
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard load.openConnection() else {
                        channel.close(promise: nil)
                        return
                    }
                    channel.closeFuture.whenComplete { _ in load.closeConnection() }
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
                    try pipeline.addHandler(GatewayConnection(state, load))
                }
            }
    }
}

/// Why a simulator cannot listen.
package struct SimulatorStartError: Error, CustomStringConvertible {
    /// The system's words for it.
    package let description: String

    init(_ error: any Error) {
        if let error = error as? IOError {
            description = unsafe String(cString: strerror(error.errnoCode))
        } else {
            description = "\(error)"
        }
    }
}
