// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Dispatch
import NIOCore

/// Renews the temporary credentials of a run, on a thread that may wait for other machines; belongs to the run's event loop.
final class CredentialsRenewer {
    private var plan: CredentialsRenewal
    private let renew: @Sendable () -> Credentials?
    private let eventLoop: any EventLoop
    private let door: LoopDoor
    private let epochSeconds: () -> Int
    private let ended: (Credentials?) -> Void
    private let queue = DispatchQueue(label: "credentials")

    /// Looks from now on whether they are to be renewed; `nil` for credentials that nobody knows to end, or that cannot be renewed.
    ///
    /// - Parameters:
    ///   - credentials: The credentials of the run's beginning.
    ///   - renew: Gets new ones, or tells the user why there are none.
    ///   - eventLoop: The run's.
    ///   - door: The way back onto it.
    ///   - epochSeconds: Tells the time by the gateway's clock, in seconds since 1970-01-01T00:00:00Z.
    ///   - ended: Takes new credentials; `nil` if there are none yet.
    init?(
        _ credentials: Credentials,
        by renew: (@Sendable () -> Credentials?)?,
        on eventLoop: any EventLoop,
        _ door: LoopDoor,
        epochSeconds: @escaping () -> Int,
        ended: @escaping (Credentials?) -> Void,
    ) {
        guard let plan = CredentialsRenewal(credentials, at: epochSeconds()), let renew else { return nil }
        self.plan = plan
        self.renew = renew
        self.eventLoop = eventLoop
        self.door = door
        self.epochSeconds = epochSeconds
        self.ended = ended
        // Each second, as the machine may sleep meanwhile.
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .seconds(1)) { _ in bound.value.renewIfDue() }
    }

    /// Whether the credentials have ended and new ones are on their way.
    var areAwaited: Bool { plan.isAwaited(at: epochSeconds()) }

    /// Renews them as the gateway finds them expired.
    func refused() {
        plan.refused(at: epochSeconds())
        renewIfDue()
    }

    /// Begins to renew them if it is time.
    func renewIfDue() {
        guard plan.begins(at: epochSeconds()) else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        queue.async { [renew, door] in
            let credentials = renew()
            door.execute { bound.value.renewed(credentials) }
        }
    }

    private func renewed(_ credentials: Credentials?) {
        if let credentials {
            plan.renewed(credentials, at: epochSeconds())
        } else {
            plan.failed(at: epochSeconds())
        }
        ended(credentials)
    }
}
