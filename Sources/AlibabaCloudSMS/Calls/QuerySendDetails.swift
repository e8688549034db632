// SPDX-License-Identifier: Apache-2.0

package import MessagePipe

extension Call {
    /// The QuerySendDetails call that asks for the messages to one number on one day; every parameter is in the query.
    ///
    /// - Parameter lookUp: What to ask for.
    /// - Returns: The call.
    package static func querySendDetails(_ lookUp: LookUp) -> Call {
        var call = Call(.querySendDetails)
        call.query.append("CurrentPage", "1")
        // The API's maximum.
        call.query.append("PageSize", "50")
        call.query.append("PhoneNumber", lookUp.phoneNumber.span)
        call.query.append("SendDate", String(lookUp.sendDate))
        return call
    }
}
