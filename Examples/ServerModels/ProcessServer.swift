internal import CReadiness
public import Readiness

/// A child process for each connection. Not more than ``ServerOptions/limit`` at once.
///
/// The child is forked, not started anew, and so may not run Swift: in a process with several threads only
/// async-signal-safe functions may follow `fork`. It echoes in C; ``ServerOptions/handler`` is not used.
/// The parent watches the listener and a descriptor of each child (pidfd), so no SIGCHLD handler is needed and no
/// child of somebody else is reaped.
public struct ProcessServer: Server {
    let options: ServerOptions

    public init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    public func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        try listener.setBlocking(false)
        var nursery = try Nursery(listener, options)
        let waker = nursery.waker
        let interruption = stop.onRequest { waker.wake() }
        defer { interruption.cancel() }
        while !stop.isRequested { try nursery.turn() }
    }
}

/// The children of a ``ProcessServer``. All have ended when it is gone.
private struct Nursery: ~Copyable {
    private let listener: Socket
    private let options: ServerOptions
    private var poller: EpollPoller
    private var children: Set<CInt> = []
    private var events: [ReadyEvent] = []
    private var isPaused = false

    init(_ listener: Socket, _ options: ServerOptions) throws(SystemError) {
        var poller = try EpollPoller()
        try poller.add(listener.descriptor, .readable)
        self.poller = poller
        self.listener = listener
        self.options = options
    }

    deinit {
        for child in children { _ = readiness_end_child(child) }
    }

    var waker: Waker { poller.waker }

    mutating func turn() throws(SystemError) {
        try poller.wait(upTo: isPaused ? AcceptPause.length : nil, into: &events)
        isPaused = false
        for event in events {
            if event.descriptor == listener.descriptor { accept() } else { try bury(event.descriptor) }
        }
        let isOpen = !isPaused && children.count < options.limit
        try poller.modify(listener.descriptor, isOpen ? .readable : [])
    }

    private mutating func accept() {
        do {
            guard let child = try forkChild() else { return }
            let descriptor = try check(readiness_open_child(child), "pidfd_open", of: "child \(child)")
            children.insert(descriptor)
            try poller.add(descriptor, .readable)
        } catch {
            options.onProblem(error)
            isPaused = true
        }
    }

    /// Takes a connection and forks its child. The parent's copy of the connection is closed on return, so there is a
    /// free descriptor for the child's, even when the connection took the last.
    private func forkChild() throws(SystemError) -> CInt? {
        guard case .connection(let connection) = try listener.accept(blocking: true) else { return nil }
        return try check(readiness_fork_echo(connection.descriptor), "fork")
    }

    private mutating func bury(_ child: CInt) throws(SystemError) {
        try poller.remove(child)
        children.remove(child)
        _ = readiness_end_child(child)
    }
}

/// Passes a result on, or throws when it is negative: the functions of CReadiness return `-errno`.
private func check(_ result: CInt, _ operation: String, of subject: String? = nil) throws(SystemError) -> CInt {
    guard result < 0 else { return result }
    throw SystemError(Errno(rawValue: -result), in: operation, of: subject)
}
