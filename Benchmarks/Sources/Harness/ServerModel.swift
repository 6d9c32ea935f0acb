import ArgumentParser

/// A way to wait for IO, as a server that can be measured: those of module Readiness, and the two layers on libuv.
package enum ServerModel: String, CaseIterable, ExpressibleByArgument, Sendable {
    case blocking, process, thread, nonblocking, select, poll
    case epollLevel = "epoll-level"
    case epollEdge = "epoll-edge"
    case selector
    case uvCallbacks = "uv-callbacks"
    case uvAsync = "uv-async"

    /// The command line of its server.
    package var server: String {
        switch self {
        case .uvCallbacks, .uvAsync: "echo-\(rawValue)"
        default: "echo-readiness \(rawValue)"
        }
    }

    /// The most connections that it serves at once, if there is such a number.
    package var limit: Int? {
        switch self {
        case .blocking: 1
        // FD_SETSIZE, less a few descriptors that the server needs itself.
        case .select: 1_000
        default: nil
        }
    }
}
