// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How many files and connections the process may have open.
package enum DescriptorLimit {
    /// Raises the limit to what the system allows; the usual one, 1024, is for programs that use `select(2)`.
    ///
    /// - Returns: The limit.
    package static func raise() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return .max }
        if limit.rlim_cur < limit.rlim_max {
            let old = limit.rlim_cur
            limit.rlim_cur = limit.rlim_max
            if unsafe setrlimit(resource, &limit) != 0 { limit.rlim_cur = old }
        }
        return Int(clamping: limit.rlim_cur)
    }
}
