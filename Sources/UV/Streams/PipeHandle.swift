internal import CLibuv
internal import CPlatform
public import SystemPackage
internal import UVPlatform

/// A local socket (Unix domain), as a connection or a listener, or an end of a pipe.
///
/// Everything else is as with ``TCPHandle``. With `ipc: true`, descriptors of sockets can be sent and received beside the bytes:
/// see ``write(_:sending:)`` and ``pendingCount``.
public final class PipeHandle: StreamHandle, ListeningStream {
    /// Whether descriptors may travel with the bytes.
    public let isIPC: Bool
    /// The other side's address, if the handle was connected, or accepted by a listener.
    package private(set) var peer: LocalAddress?
    /// Kept, so that errors can name the peer when the handle is closed.
    private var credentials: PeerCredentials?
    /// The file that the handle has made by binding, as long as it is to be removed.
    var socketFile: SocketFile?
    /// The end of a connect that has succeeded at once.
    private var connectEnd: (timer: TimerHandle, call: (PipeHandle, UVError?) -> Void)?
    var raw: UnsafeMutablePointer<uv_pipe_t> { unsafe memory.assumingMemoryBound(to: uv_pipe_t.self) }

    /// Creates a handle without a connection.
    ///
    /// - Parameter ipc: Whether descriptors may travel with the bytes, which costs each read a little.
    ///
    /// Calls `uv_pipe_init`.
    public init(
        on loop: Loop, ipc: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        isIPC = ipc
        unsafe try super.init(on: loop, as: uv_pipe_t.self, "pipe creation", file, line) {
            unsafe uv_pipe_init(loop.raw, $0, ipc ? 1 : 0)
        }
    }

    /// Two handles connected with each other through the kernel: a pair of local sockets.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles`.
    ///
    /// Calls `uv_socketpair`.
    public static func pair(
        on loop: Loop, ipc: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> (PipeHandle, PipeHandle) {
        try connectedPair { socket throws(UVError) in
            let handle = try PipeHandle(on: loop, adopting: socket, of: .unnamed, ipc: ipc, file, line)
            handle.countConnection()
            return handle
        }
    }

    /// The two ends of a pipe, for other processes, or to be opened by handles. Both are closed on exec; the caller closes them.
    ///
    /// - Parameter readBlocks: Whether reads of the one end wait for bytes. An end that a handle opens does not block any more.
    /// - Parameter writeBlocks: Whether writes to the other end wait for room.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles`.
    ///
    /// Calls `uv_pipe`.
    public static func pipe(
        readBlocks: Bool = true, writeBlocks: Bool = true
    ) throws(UVError) -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
        var ends: [uv_file] = [-1, -1]
        let notBlocking = CInt(UV_NONBLOCK_PIPE.rawValue)
        try check(unsafe uv_pipe(&ends, readBlocks ? 0 : notBlocking, writeBlocks ? 0 : notBlocking), "pipe")
        return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
    }

    /// Takes a connected socket; closes it when that fails.
    convenience init(
        on loop: Loop, adopting socket: CInt, of peer: LocalAddress?, ipc: Bool = false,
        _ file: StaticString = #fileID, _ line: UInt = #line
    ) throws(UVError) {
        do { try self.init(on: loop, ipc: ipc, file: file, line: line) } catch {
            FileDescriptor(rawValue: socket).closeIgnoringErrors()
            throw error
        }
        let status = unsafe uv_pipe_open(raw, socket)
        guard status < 0 else {
            connected(to: peer ?? .unnamed)
            return
        }
        FileDescriptor(rawValue: socket).closeIgnoringErrors()
        close()
        try check(status, "open", of: "descriptor \(socket)")
    }

    /// Takes over a socket, connected or listening, or an end of a pipe, that somebody else made. The handle closes it from now on.
    ///
    /// The descriptor becomes non-blocking, and with it all its duplicates, in other processes too. What can be done with it
    /// follows from how it was opened: the end of a pipe is read or written only. Finishing the write end of a pipe is closing it.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` for a file, a directory or a device, which libuv cannot wait for,
    ///   `.protocolWrongTypeForSocket` for datagrams, `.fileExists` when the loop watches the descriptor already,
    ///   `.resourceBusy` when the handle has one. The descriptor stays the caller's then.
    ///
    /// Calls `uv_pipe_open`.
    public func open(_ descriptor: FileDescriptor) throws(UVError) {
        try checkOpen("open")
        let subject = "descriptor \(descriptor.rawValue)"
        var status = stat()
        try checkSystem(unsafe fstat(descriptor.rawValue, &status), "open", of: subject)
        switch FileKind(mode: UInt64(status.st_mode)) {
        case .fifo: break
        case .socket:
            guard SocketOption.type(of: descriptor.rawValue) == streamSocketType else {
                throw UVError(.protocolWrongTypeForSocket, in: "open", of: subject)
            }
        default: throw UVError(.notPermitted, in: "open", of: subject)
        }
        try check(unsafe uv_pipe_open(raw, descriptor.rawValue), "open", of: subject)
        if let peer = try? remoteAddress {
            connected(to: peer)
            countConnection()
        }
    }

    // MARK: Connecting

    /// Connects to a listener.
    ///
    /// - Parameter onDone: Called once: with `nil` when connected, `.noSuchFileOrDirectory`, `.connectionRefused` when nobody listens,
    ///   `.permissionDenied`, `.resourceTemporarilyUnavailable` when the listener's queue is full, `.protocolWrongTypeForSocket` when it
    ///   is no socket for streams, or `.canceled` when the handle was closed first. After a failure the handle can try again.
    /// - Throws: ``UVError`` with `.alreadyInProcess` or `.socketIsConnected` when the handle has a peer,
    ///   `.destinationAddressRequired` for an unnamed address. With an abstract name all failures are thrown.
    ///
    /// Calls `uv_pipe_connect`.
    public func connect(
        to address: LocalAddress, onDone: @escaping (PipeHandle, UVError?) -> Void
    ) throws(UVError) {
        try checkOpen("connect")
        // libuv would forget the first connect.
        if unsafe stream.pointee.connect_req != nil || connectEnd != nil {
            throw UVError(.alreadyInProcess, in: "connect", of: address.description)
        }
        if (try? remoteAddress) != nil { throw UVError(.socketIsConnected, in: "connect", of: address.description) }
        guard let path = address.path else { return try connectAtOnce(to: address, onDone) }
        // A socket that libuv has made for a connect that failed is not yet known as one to be read and written.
        if let existing = try? fileDescriptor.rawValue {
            try check(unsafe uv_pipe_open(raw, existing), "connect", of: address.description)
        }
        let request = ConnectRequest(on: loop, to: address.description) { [self] error in
            if error == nil {
                connected(to: address)
                noteConnected()
            }
            onDone(self, error)
        }
        unsafe try request.begin { request, done in
            unsafe path.withPlatformString { unsafe uv_pipe_connect(request, raw, $0, done) }
            // It tells every failure by its callback.
            return 0
        }
    }

    private func connected(to address: LocalAddress) {
        peer = address
        credentials = try? PeerCredentials(ofPeerOf: fileDescriptor)
    }

    /// Connects to an abstract name, which libuv cannot be told. The system answers at once.
    private func connectAtOnce(
        to address: LocalAddress, _ onDone: @escaping (PipeHandle, UVError?) -> Void
    ) throws(UVError) {
        let existing = try? fileDescriptor.rawValue
        let socket = existing ?? cplatform_socket(AF_UNIX, streamSocketType)
        let subject = address.description
        try checkSystem(socket, "connect", of: subject)
        do throws(UVError) {
            let status = unsafe try address.withSockaddr("connect") { unsafe systemConnect(socket, $0, $1) }
            try checkSystem(status, "connect", of: subject)
            let timer = try TimerHandle(on: loop)
            do throws(UVError) {
                timer.isInternal = true
                try timer.start(after: .zero) { [unowned self] _ in finishConnect(nil) }
                if existing == nil { try check(unsafe uv_pipe_open(raw, socket), "connect", of: subject) }
            } catch {
                timer.close()
                throw error
            }
            connectEnd = (timer, onDone)
            connected(to: address)
            noteConnected()
        } catch {
            if existing == nil { FileDescriptor(rawValue: socket).closeIgnoringErrors() }
            throw error
        }
    }

    private func finishConnect(_ error: UVError?) {
        guard let end = connectEnd.take() else { return }
        end.timer.close()
        end.call(self, error)
    }

    override func prepareToListen() throws(UVError) {
        if (try? fileDescriptor) == nil {
            throw UVError(.invalidArgument, in: "listen", of: "a handle without an address")
        }
    }

    // MARK: Addresses

    /// The address of this side: a client has none.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` before there is a socket, `.notSocket` for the end of a pipe,
    ///   `.addressFamilyNotSupported` for a socket of another family.
    ///
    /// Calls `uv_pipe_getsockname`.
    public var localAddress: LocalAddress {
        get throws(UVError) {
            unsafe try address("localAddress") { unsafe uv_pipe_getsockname(raw, $0, $1) }
        }
    }

    /// The address of the other side: that of a client is unnamed.
    ///
    /// - Throws: ``UVError`` with `.socketNotConnected` without a connection, else as ``localAddress``.
    ///
    /// Calls `uv_pipe_getpeername`.
    public var remoteAddress: LocalAddress {
        get throws(UVError) {
            unsafe try address("remoteAddress") { unsafe uv_pipe_getpeername(raw, $0, $1) }
        }
    }

    private func address(
        _ operation: StaticString, _ ask: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int>) -> CInt
    ) throws(UVError) -> LocalAddress {
        try checkOpen(operation)
        var status: CInt = 0
        let name = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer -> [UInt8] in
            var size = buffer.count
            guard let base = buffer.baseAddress else { return [] }
            // libuv writes a NUL where nothing was filled in.
            unsafe base.initialize(to: 0)
            status = unsafe ask(base, &size)
            return unsafe status < 0 ? [] : buffer[..<size].map { UInt8(bitPattern: $0) }
        }
        try check(status, operation)
        // libuv takes every address for a local one.
        guard SocketOption.family(of: try fileDescriptor.rawValue) == AF_UNIX else {
            throw UVError(.addressFamilyNotSupported, in: operation.description)
        }
        return LocalAddress(name: name)
    }

    /// The process at the other end.
    ///
    /// - Throws: ``UVError`` with `.socketNotConnected`, `.notSocket` for the end of a pipe, `.badFileDescriptor`.
    public var peerCredentials: PeerCredentials {
        get throws(UVError) {
            try checkOpen("peerCredentials")
            if let credentials { return credentials }
            return try PeerCredentials(ofPeerOf: fileDescriptor)
        }
    }

    override var localName: String? { (try? localAddress)?.description }

    /// Where the peer has no address, its process stands for it.
    package override var peerName: String? {
        guard let peer else { return label }
        return peer.isUnnamed ? credentials?.description : peer.description
    }

    // MARK: Closing

    override func willClose() {
        super.willClose()
        // Before the descriptor is closed: until then nobody else can have the inode.
        socketFile?.remove()
        connectEnd?.timer.close()
    }

    override func dropClosures() {
        super.dropClosures()
        guard connectEnd != nil else { return }
        beforeClosed { handle in
            let pipe = unsafe unsafeDowncast(handle, to: PipeHandle.self)
            pipe.finishConnect(UVError(.canceled, in: "connect", of: pipe.peer?.description))
        }
    }
}
