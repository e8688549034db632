// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL

extension Channel {
    /// Closes the connection at once: not one more byte leaves.
    ///
    /// TLS would end its session in order. That first lets out what is still to be written, so that a request which is
    /// reported as not sent could yet become whole at the gateway; and it waits for the peer, for seconds if that is silent.
    func cut() {
        guard let tls = try? pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) else {
            close(promise: nil)
            return
        }
        tls.close(promise: nil)
    }
}
