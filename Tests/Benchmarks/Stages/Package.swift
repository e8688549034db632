// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
]

// The libraries are links to those of the product: what is measured has package access only.
let package = Package(
    name: "stages",
    dependencies: [.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")],
    targets: [
        .systemLibrary(name: "CSupport"),
        .target(
            name: "MessagePipe",
            dependencies: [
                "CSupport",
                .product(name: "BasicContainers", package: "swift-collections"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            exclude: ["Design.md"],
            swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")],
        ),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "AlibabaCloudSMS", dependencies: ["MessagePipe", "COpenSSL"], swiftSettings: settings),
        .executableTarget(
            name: "stages",
            dependencies: ["AlibabaCloudSMS", "MessagePipe"],
            swiftSettings: settings,
        ),
    ]
)
