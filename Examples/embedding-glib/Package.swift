// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody else's build looks for GLib.
let package = Package(
    name: "embedding-glib",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "swift-uv", path: "../..")],
    targets: [
        .systemLibrary(name: "CGLib", pkgConfig: "glib-2.0", providers: [.apt(["libglib2.0-dev"]), .brew(["glib"])]),
        .executableTarget(
            name: "embedding-glib",
            dependencies: [
                "CGLib", .product(name: "AsyncUV", package: "swift-uv"),
                .product(name: "UVEmbedding", package: "swift-uv"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("ExistentialAny"),
                .strictMemorySafety(),
            ]),
    ]
)
