// SPDX-License-Identifier: Apache-2.0

/// The text of bytes.
func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self)
}
