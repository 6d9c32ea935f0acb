public import UV

/// What a child process has as its standard input, output or error: see ``ChildProcess``.
public enum ChildStream: Sendable {
    /// The null device: nothing to read, and what is written is lost.
    case null
    /// The same as this process has.
    case inherit
    /// A new pipe: ``ChildProcess/input``, ``ChildProcess/output`` or ``ChildProcess/error`` is its other end.
    case pipe
    /// An open file, from its start for reading, unless it was opened with `.append` or moved. It stays open here.
    case file(File)
    /// A descriptor of somebody else's, which stays theirs. The child makes it blocking, for both.
    case descriptor(FileDescriptor)
    /// A connection, which is the child's from then on: it is closed here when the child has been started. What it has read
    /// and nobody has taken is lost. It must live on the child's loop.
    case connection(any StreamConnection)
}

/// The writing end of the pipe to a child's standard input. ``finishWriting()`` and ``close()`` both end it: the child reads to the
/// end. Dropping the last reference closes it.
///
/// A write throws ``UVError`` with `.brokenPipe` when the child no longer reads. There is nothing to read.
public final class ChildInput: HandleConnection {
    public typealias Handle = PipeHandle

    public let stream: LoopStream

    public init(_ handle: PipeHandle, on loop: EventLoop) throws(UVError) { stream = LoopStream(handle, on: loop) }

    deinit { stream.drop() }

    /// For people.
    public var description: String { "a child's input" }

    /// Closes the pipe when the system has everything that was written. Otherwise as ``ByteStream/finishWriting()``.
    ///
    /// Cancellation: the pipe stays open, unless the system had everything.
    public func finishWriting() async throws {
        // A pipe has no other end of writing than its close.
        try await write([UInt8]())
        await close()
    }
}

/// The reading end of the pipe from a child's standard output or error. Dropping the last reference closes it; a child that writes
/// on then is ended by SIGPIPE.
///
/// It ends when the child and all of its descendants that have the pipe have closed it. A write throws ``UVError`` with
/// `.brokenPipe`.
public final class ChildOutput: HandleConnection {
    public typealias Handle = PipeHandle

    public let stream: LoopStream

    public init(_ handle: PipeHandle, on loop: EventLoop) throws(UVError) { stream = LoopStream(handle, on: loop) }

    deinit { stream.drop() }

    /// For people.
    public var description: String { "a child's output" }
}
