// SPDX-License-Identifier: Apache-2.0

package import AlibabaCloudSMS
package import MessagePipe
import NIOCore

/// What became of a request on the wire: exactly one for each.
package enum GatewayReport: Sendable {
    /// The gateway answered.
    case answered(HTTPAnswer)
    /// Not one byte of the request can have reached the gateway as a whole request.
    case notSent(NotSentReason)
    /// The request left whole, and no answer tells what became of it.
    case unknown(Doubt)
}

/// An answer as it came.
package struct HTTPAnswer: Sendable {
    /// The status code.
    package var status: Int
    /// The wait that the gateway asks for, by `x-acs-retry-after`; `nil` where it asks for none.
    package var retryAfterMilliseconds: Int?
    /// The head as it came.
    var head: [UInt8]
    /// The whole body.
    package var body: [UInt8]
    /// Whether the request had left whole when the answer came.
    ///
    /// If not, no more of it leaves, and whatever the answer says, nothing was taken.
    package var isRequestWhole: Bool

    /// The value of the first header field with a name, given in lower case; `nil` if there is none.
    package func field(_ name: StaticString) -> String? {
        AnswerHead.value(of: name, in: head.span)
    }
}

/// The connections to the gateway; each carries one request at a time.
///
/// Belongs to its event loop.
package final class Gateway {
    /// How long an idle connection is used again.
    ///
    /// Well below the keep-alive times of common servers, so that a request seldom meets a connection that the gateway is
    /// closing: it would be in doubt though nobody took it.
    private static let maximumIdle = Duration.seconds(10)

    private var connector: Connector
    private let eventLoop: any EventLoop
    private var connections: [GatewayConnection] = []
    /// Those of them that carry no request.
    private var idle: [(connection: GatewayConnection, since: Instant)] = []
    /// A request as it leaves.
    ///
    /// The next one takes the storage over, at hand for the processor, if nobody else holds it any more; else it gets its own.
    private var outgoing = ByteBuffer()
    /// Requests that wait for a connection of their own.
    private var connecting: [RequestID: SignedRequest] = [:]
    private var allowance = ConnectionAllowance()
    /// Whether a request waits for ``isReady()``.
    private var isAwaited = false
    private var timer: Scheduled<Void>?
    private let report: (RequestID, SignedRequest.Evidence, GatewayReport) -> Void
    private let leaves: (RequestID) -> Bool
    private let connected: () -> Void
    private let ready: () -> Void

    /// Creates a gateway without connections.
    ///
    /// - Parameters:
    ///   - connector: Makes connections.
    ///   - connected: Called whenever a connection has been made.
    ///   - leaves: Asked about a request when its connection has been made, which may have taken long.
    ///   - ready: Called when ``isReady()`` is to be asked again.
    ///   - report: Called once for each request, also from within ``send(_:_:)`` if it fails at once.
    package init(
        _ connector: Connector,
        connected: @escaping () -> Void,
        leaves: @escaping (RequestID) -> Bool = { _ in true },
        ready: @escaping () -> Void = {},
        report: @escaping (RequestID, SignedRequest.Evidence, GatewayReport) -> Void,
    ) {
        self.connector = connector
        eventLoop = connector.eventLoop
        self.connected = connected
        self.leaves = leaves
        self.ready = ready
        self.report = report
    }

    /// Whether a request should be sent now: over an idle connection, or over a new one if there should be more.
    ///
    /// If not, `ready` is called in time.
    package func isReady() -> Bool {
        if idle.contains(where: { $0.connection.isReusable }) { return true }
        if allowance.allows(beside: connecting.count + connections.count - idle.count) { return true }
        isAwaited = true
        if timer == nil { setTimer() }
        return false
    }

    /// Sees that `ready` is called though no socket may have anything to tell.
    private func setTimer() {
        timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(allowance.patience)) { [self] in
            timer = nil
            allowance.waited()
            tellWhoWaits()
        }
    }

    private func tellWhoWaits() {
        guard isAwaited else { return }
        isAwaited = false
        ready()
    }

    private func socketsWereLookedAt() {
        allowance.socketsWereLookedAt()
        tellWhoWaits()
    }

    /// Sends a request over an idle connection, or over a new one.
    package func send(_ id: RequestID, _ request: SignedRequest) {
        dropStale()
        if let (connection, _) = idle.popLast() {
            send(id, request, over: connection)
            return
        }
        connecting[id] = request
        allowance.begun()
        connector.connect().assumeIsolated().whenComplete { [self] result in
            guard let request = connecting.removeValue(forKey: id) else {
                if case .success(let channel) = result { channel.cut() }
                return
            }
            switch result {
            case .success(let channel): start(id, request, on: channel)
            case .failure(let error): report(id, request.evidence, .notSent(Connector.reason(error)))
            }
            socketsWereLookedAt()
        }
    }

    /// Gives a request up: its connection is closed, and its report is due at once.
    package func abandon(_ id: RequestID) {
        if let request = connecting.removeValue(forKey: id) {
            report(id, request.evidence, .notSent(.noConnection("it took too long")))
        } else {
            connections.first { $0.requestID == id }?.abandon()
        }
    }

    /// How many connections wait for a request.
    package var idleCount: Int { idle.count { $0.connection.isReusable } }

    /// Closes the idle connections.
    package func close() {
        for (connection, _) in idle {
            connection.close()
            forget(connection)
        }
        idle.removeAll()
    }

    private func start(_ id: RequestID, _ request: SignedRequest, on channel: any Channel) {
        do {
            let connection = GatewayConnection(channel: channel) { [self] in ended($0, $1, $2, $3) }
            try channel.pipeline.syncOperations.addHandler(connection)
            connections.append(connection)
            connected()
            if allowance.connected() {
                timer?.cancel()
                timer = nil
            }
            guard leaves(id) else {
                idle.append((connection, Clock.now))
                report(id, request.evidence, .notSent(.noConnection("it was made too late")))
                return
            }
            send(id, request, over: connection)
        } catch {
            channel.cut()
            report(id, request.evidence, .notSent(.noConnection("it was closed while it was made")))
        }
    }

    private func send(_ id: RequestID, _ request: SignedRequest, over connection: GatewayConnection) {
        outgoing.clear(minimumCapacity: request.head.count + request.body.count)
        outgoing.writeBytes(request.head)
        outgoing.writeBytes(request.body)
        connection.send(id, outgoing, request.evidence)
    }

    private func ended(
        _ connection: GatewayConnection,
        _ id: RequestID,
        _ evidence: SignedRequest.Evidence,
        _ result: GatewayReport,
    ) {
        let now = Clock.now
        allowance.answered(after: connection.sentAt.duration(to: now))
        if connection.isReusable { idle.append((connection, now)) } else { forget(connection) }
        report(id, evidence, result)
        socketsWereLookedAt()
    }

    private func dropStale() {
        let now = Clock.now
        while let (connection, since) = idle.first,
            !connection.isReusable || since.duration(to: now) > Self.maximumIdle
        {
            idle.removeFirst()
            connection.close()
            forget(connection)
        }
        while let (connection, _) = idle.last, !connection.isReusable {
            idle.removeLast()
            forget(connection)
        }
    }

    private func forget(_ connection: GatewayConnection) {
        connections.removeAll { $0 === connection }
    }
}
