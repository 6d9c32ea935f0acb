public import Readiness

/// A way to serve many connections.
///
/// All of them run the same ``Handler``, so that only the way of waiting differs; ``ServerModel`` lists them.
public protocol Server: Sendable {
    /// Serves the connections of `listener` on the calling thread until `stop` is requested.
    ///
    /// Then all connections are closed, whatever they were doing; threads and children that the server has started
    /// have ended, and it returns. The listener stays open, but a blocking server has shut it down.
    ///
    /// - Throws: ``SystemError`` when it cannot go on. Trouble with one connection ends that connection only; what is
    ///   worth telling goes to ``ServerOptions/onProblem``.
    func run(on listener: Socket, until stop: Stop) throws(SystemError)
}

/// Turns received bytes into the reply, in place: the first `count` bytes of the array. It must not block.
public typealias Handler = @Sendable (_ bytes: inout [UInt8], _ count: Int) -> Void

/// What all servers have in common.
public struct ServerOptions: Sendable {
    /// The reply to what was received; an echo, if not set.
    public var handler: Handler = { _, _ in }

    /// How many threads or child processes there may be at once. Further connections wait in the listener's backlog.
    public var limit: Int = 512

    /// Hears of what ends connections other than their end, and of shortage of descriptors.
    public var onProblem: @Sendable (SystemError) -> Void = { _ in }

    /// So many bytes are read at once, and at most so many wait in a connection for a slow reader.
    public var chunk = 65_536

    public init() {}
}
