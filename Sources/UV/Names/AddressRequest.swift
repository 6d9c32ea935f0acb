internal import CLibuv
internal import UVPlatform

/// Looks up the addresses of a host in libuv's thread pool.
public final class AddressRequest: Request {
    private let host: String
    private let port: UInt16
    private var onDone: ((AddressRequest, Result<[SocketAddress], UVError>) -> Void)?

    /// Looks up a host's addresses, in the system's order of preference.
    ///
    /// - Parameter onDone: Called once: with at least one address, `.resolverUnknownName` and relatives,
    ///   `.tooManyOpenFiles`, or `.canceled`.
    /// - Throws: ``UVError`` with `.invalidArgument` for what cannot be a host's name: empty, more than 253 bytes, a label
    ///   of more than 63, a NUL, a space or another control character, a number as the last label (`127.1`, `0x7f.1`,
    ///   `2130706433`) where it is not an address in its plain form. Nothing is looked up then.
    ///
    /// Calls `uv_getaddrinfo`.
    @discardableResult
    public static func addresses(
        of host: String, port: UInt16, on loop: Loop,
        onDone: @escaping (AddressRequest, Result<[SocketAddress], UVError>) -> Void
    ) throws(UVError) -> AddressRequest {
        loop.checkThread("AddressRequest")
        try HostName.check(host)
        ThreadPool.begin()
        let request = AddressRequest(host, port, on: loop, onDone)
        try request.begin()
        return request
    }

    override var subjectOfRequest: String? { "of \(host)" }

    private init(
        _ host: String, _ port: UInt16, on loop: Loop,
        _ onDone: @escaping (AddressRequest, Result<[SocketAddress], UVError>) -> Void
    ) {
        self.host = host
        self.port = port
        self.onDone = onDone
        unsafe super.init(on: loop, as: uv_getaddrinfo_t.self)
    }

    private func begin() throws(UVError) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = streamSocketType
        try start("look-up", of: host) {
            unsafe uv_getaddrinfo(
                loop.raw, memory.assumingMemoryBound(to: uv_getaddrinfo_t.self), lookUpFinished, host, nil, &hints)
        }
        unsafe ThreadPool.lookUpBegun(work)
    }

    private var work: UnsafeMutableRawPointer {
        unsafe memory + MemoryLayout<uv_getaddrinfo_t>.offset(of: \.work_req).unsafelyUnwrapped
    }

    /// Looks up a host's addresses on the calling thread, which may take minutes: for a thread that has nothing else to do.
    ///
    /// Otherwise as ``addresses(of:port:on:onDone:)``.
    ///
    /// It takes no thread of libuv's pool, which serves files too.
    package static func waitForAddresses(of host: String, port: UInt16) throws(UVError) -> [SocketAddress] {
        try HostName.check(host)
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = streamSocketType
        #if canImport(Glibc)
        // AI_IDN, which Swift's module of the C library lacks. Like libuv: names are looked up in their ASCII form.
        unsafe hints.ai_flags = 0x40
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        if !host.utf8.allSatisfy({ $0 < 0x80 }) {
            // IDNA may turn other characters into digits, and so the name into an address that no filter has seen.
            var numeric = unsafe hints
            unsafe numeric.ai_flags |= AI_NUMERICHOST
            if unsafe getaddrinfo(host, nil, &numeric, &list) == 0 {
                unsafe freeaddrinfo(list)
                throw UVError(.invalidArgument, in: "look-up", of: host.debugDescription)
            }
            unsafe list = nil
        }
        let status = unsafe getaddrinfo(host, nil, &hints, &list)
        defer { if unsafe list != nil { unsafe freeaddrinfo(list) } }
        if status == EAI_SYSTEM { throw UVError(.lastSystemError, in: "look-up", of: host) }
        if status != 0 { throw UVError(HostName.cause(of: .init(resolverStatus: status)), in: "look-up", of: host) }
        let addresses = unsafe SocketAddress.all(in: list, port: port)
        if addresses.isEmpty { throw UVError(.resolverNoAddress, in: "look-up", of: host) }
        return addresses
    }

    fileprivate func finish(_ status: CInt, _ list: UnsafeMutablePointer<addrinfo>?) {
        unsafe ThreadPool.lookUpEnded(work)
        let addresses = unsafe SocketAddress.all(in: list, port: port)
        unsafe uv_freeaddrinfo(list)
        let code: UVError.Code? =
            switch UVError.Code(rawValue: status) {
            case .resolverCanceled: .canceled
            case let code where status < 0: HostName.cause(of: code)
            default: addresses.isEmpty ? .resolverNoAddress : nil
            }
        let call = onDone.take()
        call?(self, code.map { .failure(UVError($0, in: "look-up", of: host)) } ?? .success(addresses))
    }
}

extension SocketAddress {
    /// The addresses in a list of the system's resolver.
    fileprivate static func all(in list: UnsafeMutablePointer<addrinfo>?, port: UInt16) -> [SocketAddress] {
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let sockaddr = unsafe entry.pointee.ai_addr, var address = unsafe SocketAddress(sockaddr) {
                address.port = port
                addresses.append(address)
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses
    }
}

extension UVError.Code {
    /// Turns a status of `getaddrinfo` into libuv's code for it.
    init(resolverStatus status: CInt) {
        switch status {
        case EAI_AGAIN: self = .resolverTemporaryFailure
        case EAI_BADFLAGS: self = .resolverBadFlags
        case EAI_FAIL: self = .resolverFailure
        case EAI_FAMILY: self = .resolverFamilyNotSupported
        case EAI_MEMORY: self = .resolverOutOfMemory
        case EAI_NONAME: self = .resolverUnknownName
        case EAI_SERVICE: self = .resolverServiceNotAvailable
        case EAI_SOCKTYPE: self = .resolverSocketTypeNotSupported
        default: self = .resolverNoAddress
        }
    }
}

private func lookUpFinished(
    _ raw: UnsafeMutablePointer<uv_getaddrinfo_t>?, _ status: CInt, _ list: UnsafeMutablePointer<addrinfo>?
) {
    let request = unsafe AddressRequest.take(from: raw)
    unsafe request.finish(status, list)
    request.loop.callbackEnded()
}
