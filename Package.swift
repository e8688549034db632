// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "smspipe",
    products: [.executable(name: "smspipe", targets: ["smspipe"])],
    dependencies: [
        // Options, help and completions: the convention.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Connections and the event loop: the field's network library.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // TLS with certificate and host name checks.
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        // Deque and Heap: the convention; UniqueArray: tables whose elements nobody copies.
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // Proxy CONNECT.
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    ],
    targets: [
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
        .systemLibrary(name: "CSupport"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "AlibabaCloudSMS", dependencies: ["MessagePipe", "COpenSSL"], swiftSettings: settings),
        .target(
            name: "PipeRuntime",
            dependencies: [
                "MessagePipe",
                "AlibabaCloudSMS",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
            ],
            swiftSettings: settings,
        ),
        .target(
            name: "GatewaySimulator",
            dependencies: [
                "MessagePipe",
                "AlibabaCloudSMS",
                "COpenSSL",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            swiftSettings: settings,
        ),
        .executableTarget(
            name: "smspipe",
            dependencies: [
                "CSupport",
                "MessagePipe",
                "AlibabaCloudSMS",
                "PipeRuntime",
                "GatewaySimulator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["smspipe.1"],
            swiftSettings: settings,
        ),
        .testTarget(name: "MessagePipeTests", dependencies: ["MessagePipe"], swiftSettings: settings),
        .testTarget(
            name: "AlibabaCloudSMSTests",
            dependencies: ["AlibabaCloudSMS", "MessagePipe"],
            swiftSettings: settings,
        ),
        .testTarget(
            name: "GatewaySimulatorTests",
            dependencies: ["GatewaySimulator", "AlibabaCloudSMS", "MessagePipe"],
            swiftSettings: settings,
        ),
        .testTarget(
            name: "PipeRuntimeTests",
            dependencies: [
                "PipeRuntime",
                "GatewaySimulator",
                "AlibabaCloudSMS",
                "MessagePipe",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings,
        ),
    ]
)
