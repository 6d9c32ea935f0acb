internal import CLibuv

/// The named codes, in libuv's order. Words are swift-system's where it has one; `resolver…` are `getaddrinfo`'s.
extension UVError.Code {
    /// `E2BIG`: argument list too long.
    public static var argListTooLong: Self { Self(UV_E2BIG) }
    /// `EACCES`: permission denied.
    public static var permissionDenied: Self { Self(UV_EACCES) }
    /// `EADDRINUSE`: address already in use.
    public static var addressInUse: Self { Self(UV_EADDRINUSE) }
    /// `EADDRNOTAVAIL`: address not available.
    public static var addressNotAvailable: Self { Self(UV_EADDRNOTAVAIL) }
    /// `EAFNOSUPPORT`: address family not supported.
    public static var addressFamilyNotSupported: Self { Self(UV_EAFNOSUPPORT) }
    /// `EAGAIN`: resource temporarily unavailable.
    public static var resourceTemporarilyUnavailable: Self { Self(UV_EAGAIN) }
    /// `EAI_ADDRFAMILY`: address family not supported.
    public static var resolverAddressFamily: Self { Self(UV_EAI_ADDRFAMILY) }
    /// `EAI_AGAIN`: temporary failure.
    public static var resolverTemporaryFailure: Self { Self(UV_EAI_AGAIN) }
    /// `EAI_BADFLAGS`: bad ai_flags value.
    public static var resolverBadFlags: Self { Self(UV_EAI_BADFLAGS) }
    /// `EAI_BADHINTS`: invalid value for hints.
    public static var resolverBadHints: Self { Self(UV_EAI_BADHINTS) }
    /// `EAI_CANCELED`: request canceled.
    public static var resolverCanceled: Self { Self(UV_EAI_CANCELED) }
    /// `EAI_FAIL`: permanent failure.
    public static var resolverFailure: Self { Self(UV_EAI_FAIL) }
    /// `EAI_FAMILY`: ai_family not supported.
    public static var resolverFamilyNotSupported: Self { Self(UV_EAI_FAMILY) }
    /// `EAI_MEMORY`: out of memory.
    public static var resolverOutOfMemory: Self { Self(UV_EAI_MEMORY) }
    /// `EAI_NODATA`: no address.
    public static var resolverNoAddress: Self { Self(UV_EAI_NODATA) }
    /// `EAI_NONAME`: unknown node or service.
    public static var resolverUnknownName: Self { Self(UV_EAI_NONAME) }
    /// `EAI_OVERFLOW`: argument buffer overflow.
    public static var resolverOverflow: Self { Self(UV_EAI_OVERFLOW) }
    /// `EAI_PROTOCOL`: resolved protocol is unknown.
    public static var resolverUnknownProtocol: Self { Self(UV_EAI_PROTOCOL) }
    /// `EAI_SERVICE`: service not available for socket type.
    public static var resolverServiceNotAvailable: Self { Self(UV_EAI_SERVICE) }
    /// `EAI_SOCKTYPE`: socket type not supported.
    public static var resolverSocketTypeNotSupported: Self { Self(UV_EAI_SOCKTYPE) }
    /// `EALREADY`: connection already in progress.
    public static var alreadyInProcess: Self { Self(UV_EALREADY) }
    /// `EBADF`: bad file descriptor.
    public static var badFileDescriptor: Self { Self(UV_EBADF) }
    /// `EBUSY`: resource busy or locked.
    public static var resourceBusy: Self { Self(UV_EBUSY) }
    /// `ECANCELED`: operation canceled.
    public static var canceled: Self { Self(UV_ECANCELED) }
    /// `ECHARSET`: invalid Unicode character.
    public static var invalidUnicode: Self { Self(UV_ECHARSET) }
    /// `ECONNABORTED`: software caused connection abort.
    public static var connectionAbort: Self { Self(UV_ECONNABORTED) }
    /// `ECONNREFUSED`: connection refused.
    public static var connectionRefused: Self { Self(UV_ECONNREFUSED) }
    /// `ECONNRESET`: connection reset by peer.
    public static var connectionReset: Self { Self(UV_ECONNRESET) }
    /// `EDESTADDRREQ`: destination address required.
    public static var destinationAddressRequired: Self { Self(UV_EDESTADDRREQ) }
    /// `EEXIST`: file already exists.
    public static var fileExists: Self { Self(UV_EEXIST) }
    /// `EFAULT`: bad address in system call argument.
    public static var badAddress: Self { Self(UV_EFAULT) }
    /// `EFBIG`: file too large.
    public static var fileTooLarge: Self { Self(UV_EFBIG) }
    /// `EHOSTUNREACH`: host is unreachable.
    public static var noRouteToHost: Self { Self(UV_EHOSTUNREACH) }
    /// `EINTR`: interrupted system call.
    public static var interrupted: Self { Self(UV_EINTR) }
    /// `EINVAL`: invalid argument.
    public static var invalidArgument: Self { Self(UV_EINVAL) }
    /// `EIO`: i/o error.
    public static var ioError: Self { Self(UV_EIO) }
    /// `EISCONN`: socket is already connected.
    public static var socketIsConnected: Self { Self(UV_EISCONN) }
    /// `EISDIR`: illegal operation on a directory.
    public static var isDirectory: Self { Self(UV_EISDIR) }
    /// `ELOOP`: too many symbolic links encountered.
    public static var tooManySymbolicLinkLevels: Self { Self(UV_ELOOP) }
    /// `EMFILE`: too many open files.
    public static var tooManyOpenFiles: Self { Self(UV_EMFILE) }
    /// `EMSGSIZE`: message too long.
    public static var messageTooLong: Self { Self(UV_EMSGSIZE) }
    /// `ENAMETOOLONG`: name too long.
    public static var fileNameTooLong: Self { Self(UV_ENAMETOOLONG) }
    /// `ENETDOWN`: network is down.
    public static var networkDown: Self { Self(UV_ENETDOWN) }
    /// `ENETUNREACH`: network is unreachable.
    public static var networkUnreachable: Self { Self(UV_ENETUNREACH) }
    /// `ENFILE`: file table overflow.
    public static var tooManyOpenFilesInSystem: Self { Self(UV_ENFILE) }
    /// `ENOBUFS`: no buffer space available.
    public static var noBufferSpace: Self { Self(UV_ENOBUFS) }
    /// `ENODEV`: no such device.
    public static var operationNotSupportedByDevice: Self { Self(UV_ENODEV) }
    /// `ENOENT`: no such file or directory.
    public static var noSuchFileOrDirectory: Self { Self(UV_ENOENT) }
    /// `ENOMEM`: not enough memory.
    public static var noMemory: Self { Self(UV_ENOMEM) }
    /// `ENONET`: machine is not on the network.
    public static var noNetwork: Self { Self(UV_ENONET) }
    /// `ENOPROTOOPT`: protocol not available.
    public static var protocolNotAvailable: Self { Self(UV_ENOPROTOOPT) }
    /// `ENOSPC`: no space left on device.
    public static var noSpace: Self { Self(UV_ENOSPC) }
    /// `ENOSYS`: function not implemented.
    public static var noFunction: Self { Self(UV_ENOSYS) }
    /// `ENOTCONN`: socket is not connected.
    public static var socketNotConnected: Self { Self(UV_ENOTCONN) }
    /// `ENOTDIR`: not a directory.
    public static var notDirectory: Self { Self(UV_ENOTDIR) }
    /// `ENOTEMPTY`: directory not empty.
    public static var directoryNotEmpty: Self { Self(UV_ENOTEMPTY) }
    /// `ENOTSOCK`: socket operation on non-socket.
    public static var notSocket: Self { Self(UV_ENOTSOCK) }
    /// `ENOTSUP`: operation not supported on socket.
    public static var notSupported: Self { Self(UV_ENOTSUP) }
    /// `EOVERFLOW`: value too large for defined data type.
    public static var overflow: Self { Self(UV_EOVERFLOW) }
    /// `EPERM`: operation not permitted.
    public static var notPermitted: Self { Self(UV_EPERM) }
    /// `EPIPE`: broken pipe.
    public static var brokenPipe: Self { Self(UV_EPIPE) }
    /// `EPROTO`: protocol error.
    public static var protocolError: Self { Self(UV_EPROTO) }
    /// `EPROTONOSUPPORT`: protocol not supported.
    public static var protocolNotSupported: Self { Self(UV_EPROTONOSUPPORT) }
    /// `EPROTOTYPE`: protocol wrong type for socket.
    public static var protocolWrongTypeForSocket: Self { Self(UV_EPROTOTYPE) }
    /// `ERANGE`: result too large.
    public static var outOfRange: Self { Self(UV_ERANGE) }
    /// `EROFS`: read-only file system.
    public static var readOnlyFileSystem: Self { Self(UV_EROFS) }
    /// `ESHUTDOWN`: cannot send after transport endpoint shutdown.
    public static var socketShutdown: Self { Self(UV_ESHUTDOWN) }
    /// `ESPIPE`: invalid seek.
    public static var illegalSeek: Self { Self(UV_ESPIPE) }
    /// `ESRCH`: no such process.
    public static var noSuchProcess: Self { Self(UV_ESRCH) }
    /// `ETIMEDOUT`: timed out.
    public static var timedOut: Self { Self(UV_ETIMEDOUT) }
    /// `ETXTBSY`: text file is busy.
    public static var textFileBusy: Self { Self(UV_ETXTBSY) }
    /// `EXDEV`: cross-device link not permitted.
    public static var improperLink: Self { Self(UV_EXDEV) }
    /// `UNKNOWN`: unknown error.
    public static var unknown: Self { Self(UV_UNKNOWN) }
    /// `EOF`: end of file.
    public static var endOfFile: Self { Self(UV_EOF) }
    /// `ENXIO`: no such device or address.
    public static var noSuchAddressOrDevice: Self { Self(UV_ENXIO) }
    /// `EMLINK`: too many links.
    public static var tooManyLinks: Self { Self(UV_EMLINK) }
    /// `EHOSTDOWN`: host is down.
    public static var hostIsDown: Self { Self(UV_EHOSTDOWN) }
    /// `EREMOTEIO`: remote I/O error.
    public static var remoteIOError: Self { Self(UV_EREMOTEIO) }
    /// `ENOTTY`: inappropriate ioctl for device.
    public static var notTerminal: Self { Self(UV_ENOTTY) }
    /// `EFTYPE`: inappropriate file type or format.
    public static var badFileTypeOrFormat: Self { Self(UV_EFTYPE) }
    /// `EILSEQ`: illegal byte sequence.
    public static var illegalByteSequence: Self { Self(UV_EILSEQ) }
    /// `ESOCKTNOSUPPORT`: socket type not supported.
    public static var socketTypeNotSupported: Self { Self(UV_ESOCKTNOSUPPORT) }

    private init(_ code: uv_errno_t) { self.init(rawValue: code.rawValue) }

    /// All codes that libuv names; 82 with 1.44.2. Any other number is a code as well.
    public static var named: [Self] {
        [
            .argListTooLong, .permissionDenied, .addressInUse, .addressNotAvailable,
            .addressFamilyNotSupported, .resourceTemporarilyUnavailable, .resolverAddressFamily,
            .resolverTemporaryFailure, .resolverBadFlags, .resolverBadHints, .resolverCanceled,
            .resolverFailure, .resolverFamilyNotSupported, .resolverOutOfMemory, .resolverNoAddress,
            .resolverUnknownName, .resolverOverflow, .resolverUnknownProtocol, .resolverServiceNotAvailable,
            .resolverSocketTypeNotSupported, .alreadyInProcess, .badFileDescriptor, .resourceBusy, .canceled,
            .invalidUnicode, .connectionAbort, .connectionRefused, .connectionReset,
            .destinationAddressRequired, .fileExists, .badAddress, .fileTooLarge, .noRouteToHost, .interrupted,
            .invalidArgument, .ioError, .socketIsConnected, .isDirectory, .tooManySymbolicLinkLevels,
            .tooManyOpenFiles, .messageTooLong, .fileNameTooLong, .networkDown, .networkUnreachable,
            .tooManyOpenFilesInSystem, .noBufferSpace, .operationNotSupportedByDevice, .noSuchFileOrDirectory,
            .noMemory, .noNetwork, .protocolNotAvailable, .noSpace, .noFunction, .socketNotConnected,
            .notDirectory, .directoryNotEmpty, .notSocket, .notSupported, .overflow, .notPermitted,
            .brokenPipe, .protocolError, .protocolNotSupported, .protocolWrongTypeForSocket, .outOfRange,
            .readOnlyFileSystem, .socketShutdown, .illegalSeek, .noSuchProcess, .timedOut, .textFileBusy,
            .improperLink, .unknown, .endOfFile, .noSuchAddressOrDevice, .tooManyLinks, .hostIsDown,
            .remoteIOError, .notTerminal, .badFileTypeOrFormat, .illegalByteSequence, .socketTypeNotSupported,
        ]
    }
}
