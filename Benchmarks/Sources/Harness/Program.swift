import Foundation

/// The executables that lie beside this one. A server is named by its command line.
package enum Program {
    package static let baseline = "echo-c-libuv"
    package static let servers = [
        baseline, "echo-c-epoll", "echo-uv-callbacks", "echo-uv-async", "echo-nio-handler", "echo-nio-async",
        "echo-readiness epoll-level", "echo-readiness selector",
    ]

    static func path(of name: String) throws -> String {
        // Not argv[0], which a shell that found us by PATH leaves short.
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: name).path(percentEncoded: false)
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Failure("there is no \(name) beside \(own)")
        }
        return path
    }
}

package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
