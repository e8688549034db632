// SPDX-License-Identifier: Apache-2.0

/// What is asked of the service: an action with its parameters, not yet signed.
package struct Call: Equatable, Sendable {
    /// The action.
    package var action: Action
    /// The method.
    package var method: HTTPMethod
    /// The parameters that go into the query.
    package var query: EncodedParameters
    /// The parameters that go into the form body.
    package var form: EncodedParameters

    /// Creates a call.
    package init(
        _ action: Action,
        method: HTTPMethod = .post,
        query: EncodedParameters = EncodedParameters(),
        form: EncodedParameters = EncodedParameters(),
    ) {
        self.action = action
        self.method = method
        self.query = query
        self.form = form
    }
}
