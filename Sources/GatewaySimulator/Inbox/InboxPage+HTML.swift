// SPDX-License-Identifier: Apache-2.0

extension InboxPage {
    static let html = "<!doctype html><title>smspipe</title>"
    static let script = ""
    static let style = ""
}
