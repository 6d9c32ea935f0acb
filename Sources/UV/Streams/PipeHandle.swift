internal import CLibuv
public import SystemPackage

/// A pipe: one end of a connection between processes of one machine.
public final class PipeHandle: StreamHandle {
    private var raw: UnsafeMutablePointer<uv_pipe_t> { unsafe memory.assumingMemoryBound(to: uv_pipe_t.self) }

    /// Creates a handle without a pipe. Calls `uv_pipe_init`.
    public init(on loop: Loop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        unsafe try super.init(on: loop, as: uv_pipe_t.self, "pipe creation", file, line) {
            unsafe uv_pipe_init(loop.raw, $0, 0)
        }
    }

    /// Takes over one end of a pipe that somebody else made. The handle closes it from now on.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for what is no pipe and no local socket, `.fileExists` when the loop
    ///   watches the descriptor already. The descriptor stays the caller's then.
    ///
    /// Calls `uv_pipe_open`.
    public func open(_ descriptor: FileDescriptor) throws(UVError) {
        try checkOpen("open")
        let subject = "descriptor \(descriptor.rawValue)"
        // libuv aborts at the first read of a regular file.
        if Kind(guessedFor: descriptor) != .pipe { throw UVError(.invalidArgument, in: "open", of: subject) }
        try check(unsafe uv_pipe_open(raw, descriptor.rawValue), "open", of: subject)
    }
}
