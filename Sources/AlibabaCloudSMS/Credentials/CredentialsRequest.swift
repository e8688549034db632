// SPDX-License-Identifier: Apache-2.0

import MessagePipe

/// A question to another machine for temporary credentials, to be asked over HTTP.
///
/// Its fields and its body may hold secrets.
package struct CredentialsRequest: Equatable, Sendable {
    /// What HTTP calls its method.
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
    }

    /// What HTTP calls its method.
    package var method: Method
    /// Whom to ask: `https://host`, `http://host:port`.
    package var origin: String
    /// What to ask for: a path and a query.
    package var target: String
    /// A header field that it carries beside those of every request; `nil` for none.
    package var field: Field?
    /// The form that it carries; empty for none.
    package var form: [UInt8] = []
    /// How long connection and answer are awaited, in seconds.
    package var timeout: Int

    /// A header field.
    package struct Field: Equatable, Sendable {
        /// The name.
        package let name: String
        /// The value; it may be a secret.
        package let value: String

        /// Creates a field.
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Creates a question without a field and a form.
    package init(method: Method, origin: String, target: String, timeout: Int) {
        self.method = method
        self.origin = origin
        self.target = target
        self.timeout = timeout
    }

    /// The answer to one.
    package struct Answer: Equatable, Sendable {
        /// The HTTP status.
        package let status: Int
        /// The body; it may hold secrets.
        package let body: [UInt8]

        /// Creates an answer.
        package init(status: Int, body: [UInt8]) {
            self.status = status
            self.body = body
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// - Throws: ``CredentialsUnavailable`` with the reason why there is none.
    package typealias Asker = @Sendable (CredentialsRequest) throws(CredentialsUnavailable) -> Answer
}

extension CredentialsRequest.Answer {
    /// The credentials in an answer: an object with `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and `Expiration`.
    ///
    /// - Parameter name: The member whose value is that object; `nil` if it is the answer itself.
    /// - Returns: The credentials, with their end.
    /// - Throws: ``CredentialsUnavailable`` if the status is not 200, or a member is missing or none that it can be.
    func credentials(in name: String? = nil) throws(CredentialsUnavailable) -> Credentials {
        let bytes = body.span
        do {
            var object = try ObjectMembers(of: bytes, in: 0..<bytes.count)
            let code = object.text("Code", in: bytes)
            guard status == 200, code ?? "Success" == "Success" else {
                let known = code.flatMap { $0.isCode ? $0 : nil }
                throw CredentialsUnavailable(reason: "it answers \(status)\(known.map { " \($0)" } ?? "")")
            }
            if let name {
                guard let inner = object.member(name, in: bytes) else {
                    throw CredentialsUnavailable(reason: "its answer has no \(name)")
                }
                try object.scan(bytes, in: inner.value)
            }
            var credentials = try Credentials(
                accessKeyID: ("AccessKeyId of its answer", object.text("AccessKeyId", in: bytes)),
                accessKeySecret: ("AccessKeySecret of its answer", object.text("AccessKeySecret", in: bytes)),
                securityToken: ("SecurityToken of its answer", object.text("SecurityToken", in: bytes)),
            )
            guard credentials.securityToken != nil else {
                throw CredentialsUnavailable(reason: "SecurityToken of its answer is not set")
            }
            guard let expiration = object.text("Expiration", in: bytes).flatMap({ CivilTime(iso8601: $0) }) else {
                throw CredentialsUnavailable(reason: "Expiration of its answer is no time such as 2026-01-31T00:00:00Z")
            }
            credentials.expiration = expiration.epochSeconds
            return credentials
        } catch let error as CredentialsUnavailable {
            throw error
        } catch {
            throw CredentialsUnavailable(
                reason: status == 200 ? "its answer is no such JSON object" : "it answers \(status)"
            )
        }
    }
}
