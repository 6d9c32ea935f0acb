public import SystemPackage

/// What a child process has as its standard input, output or error.
public enum StandardStream {
    /// The null device: nothing to read, and what is written is lost.
    case null
    /// The same as this process has. The child makes it blocking, for both.
    case inherit
    /// A new pipe, whose other end is a handle of ``ProcessHandle``.
    case pipe
    /// An open file, pipe or socket. It stays the caller's. The child makes it blocking, for both.
    case file(FileDescriptor)
    /// A connected stream, which is the child's from then on: the handle is closed when the child has been started, because
    /// it could not be used beside a child that makes it blocking. What it has read and not handed over is lost.
    case stream(StreamHandle)
}

@available(*, unavailable, message: "a stream's handle belongs to its loop's thread")
extension StandardStream: Sendable {}
