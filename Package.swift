// swift-tools-version: 6.2
import PackageDescription

/// Set by the Makefile and by CI: a warning is an error. Not for users, whose compiler may be newer than ours.
let strict = Context.environment["SWIFT_UV_STRICT"] != nil

/// Compiles the documented way beside each of the `RuntimeShortcuts`.
let plain = Context.environment["SWIFT_UV_PLAIN", default: ""] != ""

let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
        .strictMemorySafety(),
    ] + (strict ? [.treatAllWarnings(as: .error)] : []) + (plain ? [.define("SWIFT_UV_PLAIN")] : [])

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// Executables that show the library, each a folder of `Examples/`.
func example(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies + ["ExampleSupport", arguments],
        path: "Examples/\(name)",
        swiftSettings: settings)
}

let package = Package(
    name: "swift-uv",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "UV", targets: ["UV"]),
        .library(name: "AsyncUV", targets: ["AsyncUV"]),
        .library(name: "Coroutines", targets: ["Coroutines"]),
        .library(name: "UVFoundation", targets: ["UVFoundation"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        // For tests only.
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibuv", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
        .target(name: "CPlatform"),
        .target(name: "UVPlatform", swiftSettings: settings),
        .target(name: "CSwiftRuntime"),
        .target(
            name: "UV",
            dependencies: [
                "CLibuv", "CPlatform", "UVPlatform", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(name: "UVFoundation", dependencies: ["UV"], swiftSettings: settings),
        .target(
            name: "AsyncUV",
            dependencies: [
                "CPlatform", "CSwiftRuntime", "UV", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(
            name: "Coroutines",
            dependencies: [
                "AsyncUV", "CPlatform", "UV",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "CoroutinesTests", dependencies: ["AsyncUV", "Coroutines", "TestSupport"], swiftSettings: settings),
        .target(name: "CFaults", path: "Tests/CFaults"),
        .target(name: "CSanitizers", path: "Tests/CSanitizers"),
        .target(
            name: "TestSupport",
            dependencies: ["CSanitizers", "UV", .product(name: "SystemPackage", package: "swift-system")],
            path: "Tests/TestSupport",
            swiftSettings: settings),
        .executableTarget(
            name: "main-thread-probe", dependencies: ["AsyncUV", "CSanitizers", "UV"], path: "Tests/MainThreadProbe",
            swiftSettings: settings),
        .executableTarget(
            name: "process-probe",
            dependencies: [
                "AsyncUV", "CSanitizers", "UV", .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/ProcessProbe", swiftSettings: settings),
        .executableTarget(
            name: "memory-probe", dependencies: ["AsyncUV", "CSanitizers"], path: "Tests/MemoryProbe",
            swiftSettings: settings),
        .testTarget(
            name: "AsyncUVTests",
            dependencies: [
                "AsyncUV", "CFaults", "UV", "TestSupport", "main-thread-probe", "memory-probe", "process-probe",
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "UVTests",
            dependencies: [
                "UV", "CFaults", "CPlatform", "TestSupport", "process-probe",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
    ],
    cLanguageStandard: .gnu11
)

let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

package.dependencies += [.package(url: "https://github.com/apple/swift-http-types", from: "1.8.0")]
package.targets += [
    .target(
        name: "ExampleSupport",
        dependencies: [arguments, .product(name: "SystemPackage", package: "swift-system")],
        path: "Examples/Support", swiftSettings: settings),
    .target(
        name: "BlockingContrast", dependencies: ["AsyncUV", "ExampleSupport", "Readiness", "UV"],
        path: "Examples/BlockingContrast", swiftSettings: settings),
    example("blocking-vs-async", ["BlockingContrast"]),
    example("chat-server", ["AsyncUV"]),
    example("coroutines", ["AsyncUV", "Coroutines"]),
    example("echo-client", ["UV"]),
    example("echo-server", ["AsyncUV", "UV"]),
    example("embedding-main-actor", ["AsyncUV"]),
    example("embedding-main-thread", ["AsyncUV"]),
    .target(
        name: "ExampleHTTP", dependencies: ["AsyncUVHTTP", httpTypes], path: "Examples/HTTP", swiftSettings: settings),
    example("file-server", ["AsyncUV", "AsyncUVHTTP", "ExampleHTTP", httpTypes]),
    example("file-cat", ["AsyncUV"]),
    example("file-copy", ["AsyncUV"]),
    example("file-wc", ["AsyncUV"]),
    example("keys", ["AsyncUV"]),
    example("parallel", ["AsyncUV"]),
    example("port-scan", ["AsyncUV"]),
    .target(name: "ExampleRESP", dependencies: ["AsyncUV"], path: "Examples/RESP", swiftSettings: settings),
    example("resp-server", ["AsyncUV", "ExampleRESP"]),
    example("system-info", ["UV"]),
    example("tail", ["AsyncUV"]),
    example("tcp-proxy", ["AsyncUV"]),
    example("timer-demo", ["UV"]),
    example("tour", ["AsyncUV", "BlockingContrast", "Coroutines", "UV"]),
    example("udp-chat", ["AsyncUV"]),
    example("watch", ["AsyncUV"]),
    example("workers", ["AsyncUV"]),
    .testTarget(
        name: "ExampleTests",
        dependencies: [
            "AsyncUV", "AsyncUVHTTP", "ExampleHTTP", "ExampleRESP", "TestSupport", "file-server", httpTypes,
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: settings),
]

// Readiness: the other ways to wait, without libuv.
package.products += [
    .library(name: "Readiness", targets: ["Readiness"]),
    .library(name: "ServerModels", targets: ["ServerModels"]),  // for the package of benchmarks
]
package.dependencies += [.package(url: "https://github.com/apple/swift-log", from: "1.16.0")]
package.targets += [
    .target(name: "CReadiness"),
    .target(
        name: "Readiness",
        dependencies: ["CReadiness", .product(name: "SystemPackage", package: "swift-system")],
        swiftSettings: settings),
    .target(
        name: "ServerModels", dependencies: ["CReadiness", "Readiness"], path: "Examples/ServerModels",
        swiftSettings: settings),
    // CSanitizers, since tests run it as a program.
    example(
        "io-models",
        [
            "AsyncUV", "Readiness", "ServerModels", "UV", "CReadiness", "CSanitizers",
            .product(name: "SystemPackage", package: "swift-system"),
        ]),
    example("epoll-server", ["Readiness", "ServerModels", .product(name: "Logging", package: "swift-log")]),
    example("select-server", ["Readiness", "ServerModels"]),
    example("select-client", ["Readiness"]),
    example("selectors-echo", ["Readiness", "ServerModels"]),
    example("ui-loop", ["Readiness", "CReadiness"]),
    .testTarget(
        name: "ReadinessTests",
        dependencies: [
            "Readiness", "CReadiness", "CSanitizers", "ServerModels", "TestSupport", "io-models",
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: settings),
]

// HTTP.
package.products += [.library(name: "AsyncUVHTTP", targets: ["AsyncUVHTTP"])]
package.targets += [
    .target(name: "AsyncUVHTTP", dependencies: ["AsyncUV", "UV", httpTypes], swiftSettings: settings),
    example("http-server", ["AsyncUV", "AsyncUVHTTP", httpTypes]),
    .testTarget(
        name: "AsyncUVHTTPTests", dependencies: ["AsyncUV", "AsyncUVHTTP", "TestSupport", httpTypes],
        swiftSettings: settings),
]

// HTTP's client, and WebSocket.
package.targets += [
    example("http-get", ["AsyncUV", "AsyncUVHTTP", httpTypes]),
    example("websocket-chat", ["AsyncUV", "AsyncUVHTTP", httpTypes]),
]

/// One module's tests alone are built in a third of the time: `SWIFT_UV_TESTS=AsyncUVTests swift test`.
if let tests = Context.environment["SWIFT_UV_TESTS"] {
    package.targets.removeAll { $0.type == .test && $0.name != tests }
}
