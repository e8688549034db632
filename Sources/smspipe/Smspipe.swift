// SPDX-License-Identifier: Apache-2.0

@main
struct Smspipe {
    static func main() {}
}
