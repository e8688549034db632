// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
package import NIOCore
import NIOPosix

/// Looks a host name up once for all connections that are made within some seconds.
///
/// The event loop's own resolver asks anew for every connection, one after the other: with a name server 20 ms away and none on
/// the machine, the last of 512 connections would wait for ten seconds, longer than one may take to be made.
///
/// All calls come on the event loop.
package final class SharedResolver: Resolver, Sendable {
    /// Finds the addresses of a host, those to be tried first in front; may take its time.
    package typealias Lookup = @Sendable (_ host: String, _ port: Int) throws -> [SocketAddress]

    /// A name that the system's resolver knows no address of, or that it cannot ask about now.
    package struct UnknownHost: Error {
        /// Creates the error.
        package init() {}
    }

    private struct Answer {
        let host: String
        let port: Int
        let v4: EventLoopPromise<[SocketAddress]>
        let v6: EventLoopPromise<[SocketAddress]>
        /// Until when it is shared; `nil` while it is awaited.
        var expiry: NIODeadline?
    }

    private let door: LoopDoor
    private let maximumAge: TimeAmount
    private let lookUp: Lookup
    private let last: NIOLoopBoundBox<Answer?>
    private let queue = DispatchQueue(label: "smspipe.SharedResolver")

    /// Creates a resolver that has looked nothing up yet.
    ///
    /// - Parameters:
    ///   - door: The way onto the event loop that connections are made on; what is found after its end is dropped.
    ///   - maximumAge: How long an answer is shared; an address that changes is found after that.
    ///   - lookUp: Asks the system.
    package init(
        on door: LoopDoor,
        maximumAge: TimeAmount = .seconds(10),
        lookUp: @escaping Lookup = SharedResolver.systemAddresses,
    ) {
        self.door = door
        self.maximumAge = maximumAge
        self.lookUp = lookUp
        last = .makeEmptyBox(eventLoop: door.eventLoop)
    }

    package func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        answer(host, port).v4.futureResult
    }

    package func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        answer(host, port).v6.futureResult
    }

    /// Does nothing: others may wait for the same answer.
    package func cancelQueries() {}

    /// Forgets what was found, as it did not lead anywhere.
    package func forget() {
        if last.value?.expiry != nil { last.value = nil }
    }

    private func answer(_ host: String, _ port: Int) -> Answer {
        if let last = last.value, last.host == host, last.port == port, last.expiry.map({ $0 > .now() }) ?? true {
            return last
        }
        let loop = door.eventLoop
        let answer = Answer(host: host, port: port, v4: loop.makePromise(), v6: loop.makePromise())
        last.value = answer
        queue.async { [self] in
            let found = Result { try lookUp(host, port) }
            door.execute { [self] in publish(found, as: answer) }
        }
        return answer
    }

    private func publish(_ found: Result<[SocketAddress], any Error>, as answer: Answer) {
        let isLast = last.value?.v4.futureResult === answer.v4.futureResult
        switch found {
        case .success(let addresses):
            if isLast { last.value?.expiry = .now() + maximumAge }
            answer.v6.succeed(addresses.filter { $0.protocol == .inet6 })
            answer.v4.succeed(addresses.filter { $0.protocol == .inet })
        case .failure(let error):
            if isLast { last.value = nil }
            answer.v6.fail(error)
            answer.v4.fail(error)
        }
    }

    /// Asks the system's resolver.
    ///
    /// - Throws: ``UnknownHost``.
    package static func systemAddresses(of host: String, port: Int) throws -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0 else {
            throw UnknownHost()
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            // The family tells what the address points to.
            switch unsafe (entry.pointee.ai_family, UnsafeRawPointer(entry.pointee.ai_addr)) {
            case (AF_INET, let address?):
                unsafe addresses.append(SocketAddress(address.load(as: sockaddr_in.self), host: host))
            case (AF_INET6, let address?):
                unsafe addresses.append(SocketAddress(address.load(as: sockaddr_in6.self), host: host))
            default:
                break
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses
    }
}
