import Foundation

/// The executables that lie beside this one.
enum Program {
    static let baseline = "echo-c-libuv"
    static let servers = [
        baseline, "echo-c-epoll", "echo-uv-callbacks", "echo-uv-async", "echo-nio-handler", "echo-nio-async",
    ]

    static func path(of name: String) throws -> String {
        // Not argv[0], which a shell that found us by PATH leaves short.
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: name).path(percentEncoded: false)
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Failure(description: "there is no \(name) beside \(own)")
        }
        return path
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}
