// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "echo-flyingsocks",
    platforms: [.macOS(.v14)],
    dependencies: [.package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1")],
    targets: [
        .executableTarget(
            name: "echo-flyingsocks", dependencies: [.product(name: "FlyingSocks", package: "FlyingFox")],
            path: "Sources")
    ]
)
