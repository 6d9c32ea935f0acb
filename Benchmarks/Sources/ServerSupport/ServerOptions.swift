public import ArgumentParser
import Glibc

/// What every echo server in Swift takes, and what it tells its runner.
public struct ServerOptions: ParsableArguments, Sendable {
    @Option(help: "The IPv4 address to listen on.")
    public var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 lets the kernel choose.")
    public var port: UInt16 = 0

    /// As in the C servers; Linux caps it at `net.core.somaxconn`.
    public static let backlog = 1024

    public init() {}

    /// Prints `listening on HOST:PORT` and flushes: a pipe would keep the line otherwise.
    public func announce(port: Int) {
        print("listening on \(host):\(port)")
        fflush(nil)
    }

    /// The same of a local socket.
    public func announce(local path: String) {
        print("listening on \(path)")
        fflush(nil)
    }
}
