// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

/// An echo server. All of them answer to `--host` and `--port`, print one line, and end with 0 on a signal.
func server(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies + ["ServerSupport", arguments], swiftSettings: settings)
}

/// A program that runs others side by side.
func runner(_ name: String, _ programs: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: ["Harness", "Measurement", arguments] + programs, swiftSettings: settings)
}

let package = Package(
    name: "swift-uv-benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "swift-uv", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        // Servers
        .systemLibrary(
            name: "CLibuvSystem", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
        .target(name: "CServerSupport"),
        .target(name: "ServerSupport", dependencies: [arguments], swiftSettings: settings),
        .executableTarget(name: "echo-c-libuv", dependencies: ["CServerSupport", "CLibuvSystem"]),
        .executableTarget(name: "echo-c-epoll", dependencies: ["CServerSupport"]),
        server("echo-uv-callbacks", [.product(name: "UV", package: "swift-uv")]),
        server(
            "echo-uv-async",
            [.product(name: "UV", package: "swift-uv"), .product(name: "AsyncUV", package: "swift-uv")]),
        server("echo-uv-main", ["AsyncUV", "UV", "UVMainExecutor"].map { .product(name: $0, package: "swift-uv") }),
        .executableTarget(name: "udp-c-libuv", dependencies: ["CServerSupport", "CLibuvSystem"]),
        server("udp-uv-callbacks", [.product(name: "UV", package: "swift-uv")]),
        server(
            "udp-uv-async",
            [.product(name: "UV", package: "swift-uv"), .product(name: "AsyncUV", package: "swift-uv")]),
        server("echo-nio-handler", nio),
        server("echo-nio-async", nio),
        server(
            "echo-readiness",
            [.product(name: "Readiness", package: "swift-uv"), .product(name: "ServerModels", package: "swift-uv")]),

        // HTTP
        server(
            "http-hello",
            [
                .product(name: "AsyncUV", package: "swift-uv"), .product(name: "AsyncUVHTTP", package: "swift-uv"),
                .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "UV", package: "swift-uv"),
            ]),
        server(
            "http2-hello",
            [
                .product(name: "AsyncUV", package: "swift-uv"), .product(name: "AsyncUVHTTP2", package: "swift-uv"),
                .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "UV", package: "swift-uv"),
            ]),
        server("http-hello-nio", nio + [.product(name: "NIOHTTP1", package: "swift-nio")]),

        // Clients
        .target(name: "CLoad"),
        .target(name: "Measurement", swiftSettings: settings),
        .executableTarget(
            name: "load",
            dependencies: [
                "CLoad", "Measurement", arguments, .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: settings),
        .executableTarget(name: "idle", dependencies: ["CLoad", "Measurement", arguments], swiftSettings: settings),
        .executableTarget(
            name: "one-busy", dependencies: ["CLoad", "Measurement", arguments], swiftSettings: settings),

        // Tasks on a loop
        .target(name: "CWakeUp", dependencies: ["CLibuvSystem"]),
        .executableTarget(
            name: "tasks",
            dependencies: [
                "CWakeUp", "Measurement", arguments,
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "AsyncUV", package: "swift-uv"),
            ],
            swiftSettings: settings),

        // Lines
        .executableTarget(
            name: "lines",
            dependencies: [
                "Measurement", arguments, .product(name: "AsyncUV", package: "swift-uv"),
                .product(name: "UV", package: "swift-uv"),
            ],
            swiftSettings: settings),

        // Datagrams
        .target(name: "CDatagrams", dependencies: ["CLibuvSystem"]),
        .executableTarget(
            name: "udp-sends",
            dependencies: [
                "CDatagrams", "Measurement", arguments, .product(name: "AsyncUV", package: "swift-uv"),
                .product(name: "UV", package: "swift-uv"),
            ],
            swiftSettings: settings),

        // Files
        .target(name: "CFiles", dependencies: ["CLibuvSystem"]),
        .executableTarget(
            name: "files",
            dependencies: [
                "CFiles", "Measurement", arguments, .product(name: "_NIOFileSystem", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "AsyncUV", package: "swift-uv"), .product(name: "UV", package: "swift-uv"),
            ] + nio,
            swiftSettings: settings),

        // Child processes
        .target(name: "CProcesses", dependencies: ["CLibuvSystem"]),
        .executableTarget(
            name: "processes",
            dependencies: [
                "CProcesses", "Measurement", arguments, .product(name: "AsyncUV", package: "swift-uv"),
                .product(name: "UV", package: "swift-uv"),
            ],
            swiftSettings: settings),

        // Trees of files
        .executableTarget(
            name: "trees",
            dependencies: [
                "Measurement", arguments, .product(name: "UV", package: "swift-uv"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),

        // Coroutines
        .executableTarget(
            name: "coroutines",
            dependencies: [
                "Measurement", arguments, .product(name: "AsyncUV", package: "swift-uv"),
                .product(name: "Coroutines", package: "swift-uv"),
            ],
            swiftSettings: settings),

        // The runners. They depend on the programs they start so that `swift run compare` builds them all.
        .target(name: "CSpawn"),
        .target(name: "Harness", dependencies: ["CSpawn", "Measurement", arguments], swiftSettings: settings),
        runner(
            "compare",
            [
                "load", "idle", "echo-c-libuv", "echo-c-epoll", "echo-uv-callbacks", "echo-uv-async",
                "echo-nio-handler",
                "echo-nio-async", "echo-readiness", "udp-c-libuv", "udp-uv-callbacks", "udp-uv-async",
            ]),
        runner("curves", ["one-busy", "echo-uv-callbacks", "echo-uv-async", "echo-readiness"]),
        runner("latency", ["load", "echo-uv-callbacks", "echo-uv-async", "echo-readiness"]),
    ],
    cLanguageStandard: .gnu11
)

// TLS
let tls: [Target.Dependency] = [
    .product(name: "AsyncUV", package: "swift-uv"), .product(name: "AsyncUVTLS", package: "swift-uv"),
    .product(name: "UV", package: "swift-uv"),
]
package.dependencies += [.package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0")]
package.targets += [
    .executableTarget(
        name: "echo-c-tls", dependencies: ["CServerSupport"],
        linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
    server("echo-uv-tls", tls),
    server("echo-nio-tls", nio + [.product(name: "NIOSSL", package: "swift-nio-ssl")]),
]

// Beside SwiftNIO in one process: what is read differently, and whether both get on. They measure nothing.
package.targets += [
    .executableTarget(
        name: "http-differential",
        dependencies: [
            arguments, .product(name: "AsyncUV", package: "swift-uv"),
            .product(name: "AsyncUVHTTP", package: "swift-uv"),
            .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "UV", package: "swift-uv"),
        ],
        swiftSettings: settings),
    .executableTarget(
        name: "tls-beside-niossl",
        dependencies: tls + nio + [arguments, .product(name: "NIOSSL", package: "swift-nio-ssl")],
        swiftSettings: settings),
]
