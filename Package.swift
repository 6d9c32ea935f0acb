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
        .target(
            name: "AsyncTestSupport", dependencies: ["AsyncUV", "UV"], path: "Tests/AsyncTestSupport",
            swiftSettings: settings),
        .executableTarget(
            name: "main-thread-probe", dependencies: ["AsyncUV", "CSanitizers", "UV"], path: "Tests/MainThreadProbe",
            swiftSettings: settings),
        .executableTarget(
            name: "process-probe",
            dependencies: [
                "AsyncUV", "CHostLoop", "CSanitizers", "UV", .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/ProcessProbe", swiftSettings: settings),
        .executableTarget(
            name: "memory-probe", dependencies: ["AsyncUV", "CSanitizers"], path: "Tests/MemoryProbe",
            swiftSettings: settings),
        .testTarget(
            name: "AsyncUVTests",
            dependencies: [
                "AsyncTestSupport",
                "AsyncUV", "CFaults", "UV", "UVTesting", "TestSupport", "main-thread-probe", "memory-probe",
                "process-probe",
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

// Behind a trait that is on: `traits: []` in the manifest of a program without HTTP, and SwiftPM does not fetch it.
let httpTypes: Target.Dependency = .product(
    name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["HTTP"]))

package.dependencies += [.package(url: "https://github.com/apple/swift-http-types", from: "1.8.0")]
package.targets += [
    .target(
        name: "ExampleSupport",
        dependencies: [arguments, .product(name: "SystemPackage", package: "swift-system")],
        path: "Examples/Support", swiftSettings: settings),
    .target(name: "ExampleInput", dependencies: ["AsyncUV"], path: "Examples/Input", swiftSettings: settings),
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
    example("file-server", ["AsyncUV", "AsyncUVHTTP", "AsyncUVHTTP2", "AsyncUVTLS", "ExampleHTTP", httpTypes]),
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
    example("udp-chat", ["AsyncUV", "ExampleInput"]),
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

// Observability: what loops do in swift-metrics, what the library says in swift-log; listeners in swift-service-lifecycle. Each is behind a
// trait, so that SwiftPM does not fetch these packages for those who have not asked for them. Here they are on.
let logging: Target.Dependency = .product(
    name: "Logging", package: "swift-log", condition: .when(traits: ["Observability"]))
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["ServiceLifecycle"]))

let traits: Set<String> = strict ? ["HTTP", "Observability", "ServiceLifecycle"] : ["HTTP"]

package.traits.formUnion([
    .default(enabledTraits: traits),
    .trait(name: "HTTP", description: "AsyncUVHTTP: swift-http-types"),
    .trait(name: "Observability", description: "UVObservability: swift-metrics and swift-log"),
    .trait(name: "ServiceLifecycle", description: "UVServiceLifecycle: swift-service-lifecycle"),
])
package.products += [
    .library(name: "UVObservability", targets: ["UVObservability"]),
    .library(name: "UVServiceLifecycle", targets: ["UVServiceLifecycle"]),
]
package.dependencies += [
    .package(url: "https://github.com/apple/swift-metrics", from: "2.7.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    // For tests and the example only.
    .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0", traits: []),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
]
package.targets += [
    .target(
        name: "UVObservability",
        dependencies: [
            "AsyncUV", logging,
            .product(name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Observability"])),
        ],
        swiftSettings: settings),
    .target(name: "UVServiceLifecycle", dependencies: ["AsyncUV", lifecycle], swiftSettings: settings),
    example(
        "service",
        [
            "AsyncUV", "UVObservability", "UVServiceLifecycle", lifecycle, logging,
            .product(name: "Configuration", package: "swift-configuration"),
            .product(name: "Metrics", package: "swift-metrics"),
        ]),
    .testTarget(
        name: "UVObservabilityTests",
        dependencies: [
            "AsyncTestSupport", "AsyncUV", "TestSupport", "UVObservability", "UVServiceLifecycle", lifecycle, logging,
            .product(name: "MetricsTestKit", package: "swift-metrics"),
            .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
            .product(name: "Instrumentation", package: "swift-distributed-tracing"),
            .product(name: "Tracing", package: "swift-distributed-tracing"),
        ],
        swiftSettings: settings),
]

// UVMainExecutor: the main actor and the default executor on one loop.
package.products += [
    .library(name: "UVAsyncMain", targets: ["UVAsyncMain"]),
    .library(name: "UVMainExecutor", targets: ["UVMainExecutor"]),
]
package.targets += [
    .target(name: "CAsyncMain"),
    .target(name: "UVMainExecutor", dependencies: ["AsyncUV", "CPlatform", "UV"], swiftSettings: settings),
    .target(
        name: "MainExecutorChecks",
        dependencies: ["AsyncUV", "UVMainExecutor", .product(name: "SystemPackage", package: "swift-system")],
        path: "Tests/MainExecutorChecks",
        swiftSettings: settings),
    .target(name: "UVAsyncMain", dependencies: ["CAsyncMain", "UVMainExecutor"], swiftSettings: settings),
    .executableTarget(
        name: "main-executor", dependencies: ["AsyncUV", "UVAsyncMain"], path: "Examples/main-executor",
        swiftSettings: settings),
    .executableTarget(
        name: "main-executor-probe", dependencies: ["AsyncUV", "MainExecutorChecks", "UVMainExecutor"],
        path: "Tests/MainExecutorProbe",
        swiftSettings: settings),
    .executableTarget(
        name: "async-main-probe", dependencies: ["AsyncUV", "MainExecutorChecks", "UVAsyncMain"],
        path: "Tests/AsyncMainProbe",
        swiftSettings: settings),
    // Not dependent on async-main-probe, because its objects would be linked into all tests, and put those on a loop.
    .testTarget(
        name: "UVMainExecutorTests", dependencies: ["TestSupport", "main-executor-probe"],
        swiftSettings: settings),
]

// Loops that Swift shares with C. What the examples do is unsafe throughout, so they do not say it in each line.
let besideC: [SwiftSetting] =
    [
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])

package.targets += [
    .target(
        name: "CHostService", dependencies: ["AsyncUV"], path: "Examples/c-host/Service", swiftSettings: besideC),
    .executableTarget(
        name: "c-host", dependencies: ["CHostService", "CLibuv"], path: "Examples/c-host/Program",
        publicHeadersPath: "."),
    .target(name: "CLines", dependencies: ["CLibuv"], path: "Examples/c-library/Lines"),
    .executableTarget(
        name: "c-library", dependencies: ["AsyncUV", "CLines"], path: "Examples/c-library/Program",
        swiftSettings: besideC),
    .target(name: "CHostLoop", dependencies: ["CLibuv"], path: "Tests/CHostLoop"),
    .testTarget(
        name: "AdoptionTests",
        dependencies: [
            "AsyncUV", "CHostLoop", "TestSupport", "UV", .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: settings),
]

// UVEmbedding: foreign loops drive ours.
package.products += [.library(name: "UVEmbedding", targets: ["UVEmbedding"])]
package.targets += [
    .target(
        name: "UVEmbedding",
        dependencies: [
            "AsyncUV", "CPlatform", "Readiness", "UV", "UVPlatform",
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: settings),
    // Work with known results, which each way to drive a loop has to have.
    .target(
        name: "EmbeddingChaos", dependencies: ["AsyncUV", "UV"], path: "Tests/EmbeddingChaos", swiftSettings: settings),
    .executableTarget(
        name: "embedding-probe",
        dependencies: ["AsyncUV", "CSanitizers", "EmbeddingChaos", "Readiness", "UV", "UVEmbedding"],
        path: "Tests/EmbeddingProbe", swiftSettings: settings),
    .testTarget(
        name: "UVEmbeddingTests",
        dependencies: [
            "AsyncTestSupport",
            "AsyncUV", "EmbeddingChaos", "Readiness", "TestSupport", "UV", "UVEmbedding", "embedding-probe",
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: settings),
    .testTarget(
        name: "MistakesTests",
        dependencies: [
            "AsyncTestSupport",
            "AsyncUV", "TestSupport", "UV", "UVFoundation", .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: settings),
    example("embedding-dispatch", ["AsyncUV", "UV", "UVEmbedding"]),
    example("embedding-epoll", ["AsyncUV", "Readiness", "UVEmbedding"]),
]

// UVTesting: loops whose time jumps, and networks in memory, for tests of users.
package.products += [.library(name: "UVTesting", targets: ["UVTesting"])]
package.targets += [
    .target(
        name: "UVTesting",
        dependencies: [
            "AsyncUV", "UV", .product(name: "DequeModule", package: "swift-collections"),
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: settings),
    .testTarget(
        name: "UVTestingTests", dependencies: ["AsyncUV", "TestSupport", "UV", "UVTesting"], swiftSettings: settings),
]

// HTTP.
package.products += [.library(name: "AsyncUVHTTP", targets: ["AsyncUVHTTP"])]
package.targets += [
    .target(name: "AsyncUVHTTP", dependencies: ["AsyncUV", "UV", httpTypes], swiftSettings: settings),
    example("http-server", ["AsyncUV", "AsyncUVHTTP", httpTypes]),
    .testTarget(
        name: "AsyncUVHTTPTests",
        dependencies: ["AsyncTestSupport", "AsyncUV", "AsyncUVHTTP", "TestSupport", httpTypes],
        swiftSettings: settings),
]

// TLS on the system's OpenSSL 3. Nothing else of the package links it.
package.products += [.library(name: "AsyncUVTLS", targets: ["AsyncUVTLS"])]
package.targets += [
    .target(name: "CTLS", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
    .target(
        name: "AsyncUVTLS",
        dependencies: ["AsyncUV", "CTLS", "UV"],
        swiftSettings: settings),
    example("tls-echo", ["AsyncUV", "AsyncUVTLS", "ExampleInput"]),
    .testTarget(
        name: "AsyncUVTLSTests",
        dependencies: [
            "AsyncTestSupport",
            "AsyncUV", "AsyncUVHTTP", "AsyncUVTLS", "CTLS", "TestSupport", "UV", httpTypes,
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        exclude: ["Certificates"],
        swiftSettings: settings),
]

// HTTP/2 on the system's nghttp2. Nothing else of the package links it.
package.products += [.library(name: "AsyncUVHTTP2", targets: ["AsyncUVHTTP2"])]
package.targets += [
    .target(name: "CHTTP2", linkerSettings: [.linkedLibrary("nghttp2")]),
    .target(
        name: "AsyncUVHTTP2", dependencies: ["AsyncUV", "AsyncUVHTTP", "CHTTP2", "UV", httpTypes],
        swiftSettings: settings),
    .testTarget(
        name: "AsyncUVHTTP2Tests",
        dependencies: [
            "AsyncTestSupport", "AsyncUV", "AsyncUVHTTP", "AsyncUVHTTP2", "AsyncUVTLS", "CHTTP2", "TestSupport", "UV",
            httpTypes, .product(name: "SystemPackage", package: "swift-system"),
        ],
        swiftSettings: settings),
]

// HTTP's client, and WebSocket.
package.targets += [
    example("http-get", ["AsyncUV", "AsyncUVHTTP", "AsyncUVTLS", httpTypes]),
    example("websocket-chat", ["AsyncUV", "AsyncUVHTTP", "ExampleInput", httpTypes]),
]

// Chaos: random things are done with everything. Programs, which no test depends on.
package.targets += [
    .target(name: "CChaos", path: "Tests/Chaos/Support"),
    .executableTarget(
        name: "chaos",
        dependencies: [
            "AsyncUV", "AsyncUVHTTP", "AsyncUVTLS", "CChaos", "Coroutines", "UV", httpTypes,
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        path: "Tests/Chaos/Program", swiftSettings: settings),
    // Fuzzing.
    .target(name: "CFuzz", path: "Tests/Fuzz/Support"),
    .target(
        name: "FuzzTargets",
        dependencies: [
            "AsyncUVHTTP", "AsyncUVTLS", "ExampleRESP", "UV", httpTypes,
            .product(name: "SystemPackage", package: "swift-system"),
        ],
        path: "Tests/Fuzz/Targets", swiftSettings: settings),
    .executableTarget(
        name: "fuzz", dependencies: ["CFuzz", "FuzzTargets"], path: "Tests/Fuzz/Program", swiftSettings: settings),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets", "TestSupport"], swiftSettings: settings),
]

/// One module's tests alone, or some with commas between them, are built in a third of the time: `SWIFT_UV_TESTS=AsyncUVTests swift test`.
if let tests = Context.environment["SWIFT_UV_TESTS"]?.split(separator: ",").map(String.init) {
    package.targets.removeAll { $0.type == .test && !tests.contains($0.name) }
}
