internal import CLibuv

/// One operation under way: a connect, a write, a shutdown.
///
/// A request keeps itself and its C struct until libuv has finished it. libuv finishes each request exactly once.
@safe
public class Request {
    /// The loop that will finish the request.
    public final let loop: Loop
    final let memory: UnsafeMutableRawPointer
    /// Whether libuv has the request.
    private final var isUnderWay = false
    /// When libuv got it: see ``Loop/moment``.
    final private(set) var startedAt: UInt32 = 0
    final private(set) var operation: StaticString = ""
    // The neighbours in the loop's list of those that libuv has.
    @exclusivity(unchecked) final private(set) unowned(unsafe) var earlier: Request?
    @exclusivity(unchecked) private final unowned(unsafe) var later: Request?

    init<Struct>(on loop: Loop, as: Struct.Type) {
        self.loop = loop
        unsafe memory = UnsafeMutableRawPointer(UnsafeMutablePointer<Struct>.allocate(capacity: 1))
    }

    deinit { unsafe memory.deallocate() }

    final var base: UnsafeMutablePointer<uv_req_t> { unsafe memory.assumingMemoryBound(to: uv_req_t.self) }

    /// Gives the request to libuv. If libuv takes it, the request lives until ``take(from:)``.
    final func start(_ operation: StaticString, of subject: String? = nil, _ begin: () -> CInt) throws(UVError) {
        if !loop.isUsable { throw UVError(.badFileDescriptor, in: operation.description, of: "a closed loop") }
        unsafe base.pointee.data = Unmanaged.passRetained(self).toOpaque()
        isUnderWay = true
        self.operation = operation
        startedAt = loop.moment
        join()
        let status = begin()
        if status < 0 {
            isUnderWay = false
            leave()
            unsafe Unmanaged<Request>.fromOpaque(base.pointee.data).release()
            try check(status, operation, of: subject)
        }
    }

    /// What the operation is done to, for reports.
    var subjectOfRequest: String? { nil }

    private final func join() {
        unsafe earlier = loop.lastRequest
        unsafe earlier?.later = self
        unsafe loop.lastRequest = self
    }

    private final func leave() {
        if let later = unsafe later {
            unsafe later.earlier = unsafe earlier
        } else {
            unsafe loop.lastRequest = unsafe earlier
        }
        unsafe earlier?.later = unsafe later
        unsafe earlier = nil
        unsafe later = nil
    }

    /// The Swift object of a finished request, no longer kept.
    static func take(from raw: UnsafeMutableRawPointer?) -> Self {
        let data = unsafe raw.unsafelyUnwrapped.load(as: UnsafeRawPointer.self)
        let request = unsafe Unmanaged<Request>.fromOpaque(data).takeRetainedValue()
        request.isUnderWay = false
        request.leave()
        return unsafe unsafeDowncast(request, to: Self.self)
    }

    /// Gives up an operation that has not begun.
    ///
    /// - Throws: ``UVError`` with `.resourceBusy` when it is being worked on and will finish as usual, or has finished;
    ///   `.invalidArgument` for a kind that ends only when its handle is closed: connect, write, shutdown.
    ///
    /// Calls `uv_cancel`.
    public func cancel() throws(UVError) {
        loop.checkThread("\(type(of: self))")
        // libuv would mistake a finished request for a queued one, because it looks at the links of a list.
        if !isUnderWay { throw UVError(.resourceBusy, in: "cancel", of: "\(type(of: self)), which has finished") }
        try check(unsafe uv_cancel(base), "cancel", of: "\(type(of: self))")
    }
}

@available(*, unavailable, message: "a request belongs to its loop's thread; only WakeupHandle.waker may go to others")
extension Request: Sendable {}
