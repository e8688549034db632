// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The system's words for an error number.
package func systemErrorText(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
