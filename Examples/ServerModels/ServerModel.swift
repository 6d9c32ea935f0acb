internal import Readiness

/// The ways to serve many connections that this module has, by name.
public enum ServerModel: String, CaseIterable, Sendable {
    case blocking
    case process
    case thread
    case nonblocking
    case select
    case poll
    case epollLevel = "epoll-level"
    case epollEdge = "epoll-edge"
    case selector

    /// A server of this model.
    public func server(_ options: ServerOptions = ServerOptions()) -> any Server {
        switch self {
        case .blocking: BlockingServer(options)
        case .process: ProcessServer(options)
        case .thread: ThreadServer(options)
        case .nonblocking: BusyServer(options)
        case .select: PollerServer<SelectPoller>(options)
        case .poll: PollerServer<PollPoller>(options)
        case .epollLevel: PollerServer<EpollPoller>(options)
        case .epollEdge: EdgeServer(options)
        case .selector: SelectorServer(options)
        }
    }

    /// Whether several connections are served at once.
    public var isConcurrent: Bool { self != .blocking }
}
