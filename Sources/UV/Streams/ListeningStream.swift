internal import SystemPackage

/// Something that hands over connections, such as a stream that listens instead of carrying bytes: TCP.
public protocol ListeningStream: AnyObject, SendableMetatype {
    /// The handle of a connection.
    associatedtype Accepted: StreamHandle

    /// Accepts connections from now on and hands each over, ready for use; drop or close the ones that you do not want.
    ///
    /// - Parameter backlog: How many connections may wait in the kernel, which has a limit of its own.
    /// - Parameter onConnection: Gets errors, too, as long as one lasts, such as a lack of descriptors; accepting goes on.
    /// - Throws: ``UVError`` with `.invalidArgument` for a backlog below 1 or an absurd one, `.alreadyInProcess` when
    ///   listening already.
    func listen(backlog: Int, onConnection: @escaping (Self, Result<Accepted, UVError>) -> Void) throws(UVError)

    /// Leaves new connections in the kernel's queue until ``resumeAccepting()``.
    func pauseAccepting()

    /// Goes on after ``pauseAccepting()``. Harmless otherwise.
    func resumeAccepting() throws(UVError)

    /// Whether ``close(onClosed:)`` was called.
    var isClosing: Bool { get }

    /// Closes the listener: see ``Handle/close(onClosed:)``.
    func close(onClosed: ((Handle) -> Void)?)
}

extension StreamHandle {
    /// Leaves new connections in the kernel's queue until ``resumeAccepting()``.
    public final func pauseAccepting() {
        checkThread()
        acceptor?.pauseAccepting()
    }

    /// Goes on after ``pauseAccepting()``. Harmless otherwise.
    public final func resumeAccepting() throws(UVError) {
        try checkOpen("resumeAccepting")
        try acceptor?.resumeAccepting()
    }

    /// Listens with the socket that the handle has.
    ///
    /// libuv's own listener is not used: out of descriptors it can call back for ever within one turn.
    final func startAccepting(
        backlog: Int, onSocket: @escaping (Result<Acceptor.Accepted, UVError>) -> Void
    ) throws(UVError) {
        if acceptor != nil { throw UVError(.alreadyInProcess, in: "listen", of: "a listening handle") }
        guard backlog > 0, let backlog = CInt(exactly: backlog) else {
            throw UVError(.invalidArgument, in: "listen", of: "a backlog of \(backlog)")
        }
        try prepareToListen()
        let descriptor = try fileDescriptor.rawValue
        try checkSystem(systemListen(descriptor, backlog), "listen", of: localName)
        let acceptor = try Acceptor(on: loop, descriptor, onSocket)
        acceptor.keepsLoopAlive = keepsLoopAlive
        self.acceptor = acceptor
    }
}
