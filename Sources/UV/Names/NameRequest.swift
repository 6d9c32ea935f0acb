internal import CLibuv
internal import UVPlatform

/// Looks up the name of an address in libuv's thread pool.
public final class NameRequest: Request {
    private let address: SocketAddress
    private var onDone: ((NameRequest, Result<Name, UVError>) -> Void)?

    /// What an address is called.
    public struct Name: Hashable, Sendable {
        /// The host's name, or its number when it has no name.
        public let host: String
        /// The name of the port's service, for example `http`, or its number.
        public let service: String
    }

    /// Looks up the names of an address and its port.
    ///
    /// - Parameter onDone: Called once: with the names, `.resolverTemporaryFailure` and relatives, or `.canceled`.
    ///
    /// Calls `uv_getnameinfo`.
    @discardableResult
    public static func name(
        of address: SocketAddress, on loop: Loop, onDone: @escaping (NameRequest, Result<Name, UVError>) -> Void
    ) throws(UVError) -> NameRequest {
        loop.checkThread("NameRequest")
        ThreadPool.begin()
        let request = NameRequest(address, on: loop, onDone)
        try request.start("look-up", of: "\(address)") {
            unsafe address.withSockaddr { sockaddr, _ in
                unsafe uv_getnameinfo(
                    loop.raw, request.memory.assumingMemoryBound(to: uv_getnameinfo_t.self), nameLookedUp, sockaddr, 0)
            }
        }
        unsafe ThreadPool.lookUpBegun(request.work)
        return request
    }

    private var work: UnsafeMutableRawPointer {
        unsafe memory + MemoryLayout<uv_getnameinfo_t>.offset(of: \.work_req).unsafelyUnwrapped
    }

    override var subjectOfRequest: String? { "of \(address)" }

    private init(
        _ address: SocketAddress, on loop: Loop, _ onDone: @escaping (NameRequest, Result<Name, UVError>) -> Void
    ) {
        self.address = address
        self.onDone = onDone
        unsafe super.init(on: loop, as: uv_getnameinfo_t.self)
    }

    /// Looks up the names on the calling thread, which may take minutes: for a thread that has nothing else to do.
    ///
    /// Otherwise as ``name(of:on:onDone:)``. It takes no thread of libuv's pool, which serves files too.
    package static func waitForName(of address: SocketAddress) throws(UVError) -> Name {
        let result: Result<Name, UVError> = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 2_048) {
            buffer in
            let host = unsafe buffer.baseAddress.unsafelyUnwrapped
            let service = unsafe host + Int(NI_MAXHOST)
            let status = unsafe address.withSockaddr {
                unsafe getnameinfo($0, $1, host, socklen_t(NI_MAXHOST), service, socklen_t(NI_MAXSERV), 0)
            }
            if status == 0 {
                return .success(unsafe Name(host: String(cString: host), service: String(cString: service)))
            }
            let code: UVError.Code = status == EAI_SYSTEM ? .lastSystemError : .init(resolverStatus: status)
            return .failure(UVError(code, in: "look-up", of: "\(address)"))
        }
        return try result.get()
    }

    fileprivate func finish(_ status: CInt, _ host: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?) {
        unsafe ThreadPool.lookUpEnded(work)
        let call = onDone.take()
        if status == 0, let host = unsafe host, let service = unsafe service {
            call?(self, .success(unsafe Name(host: String(cString: host), service: String(cString: service))))
        } else {
            let code = UVError.Code(rawValue: status)
            let error = UVError(code == .resolverCanceled ? .canceled : code, in: "look-up", of: "\(address)")
            call?(self, .failure(error))
        }
    }
}

private func nameLookedUp(
    _ raw: UnsafeMutablePointer<uv_getnameinfo_t>?, _ status: CInt, _ host: UnsafePointer<CChar>?,
    _ service: UnsafePointer<CChar>?
) {
    let request = unsafe NameRequest.take(from: raw)
    unsafe request.finish(status, host, service)
    request.loop.callbackEnded()
}
