internal import UV

/// The part of a connection that lives on its loop's thread.
final class StreamCore {
    let handle: StreamHandle
    @exclusivity(unchecked) private(set) var reader = Suspension<[UInt8]?>()
    /// The task of the scope that owns the connection: its reads are woken by the scope's one cancellation handler.
    @exclusivity(unchecked) private var owner = TaskIdentity.none
    /// Made when it is needed: connections that are only read by chunks, without time limits, never have it.
    @exclusivity(unchecked) var returned: Returned?
    // One word.
    @exclusivity(unchecked) private var reads: UInt32 = 0
    @exclusivity(unchecked) private var serverNumber = ServerNumber.none
    @exclusivity(unchecked) private var readerIsOwner = false
    @exclusivity(unchecked) private var state: State = []

    private struct State: OptionSet {
        let rawValue: UInt8
        /// The read that waits ends when the connection's server drains.
        static let drains = Self(rawValue: 1)
        /// The clock watches writes that wait.
        static let sends = Self(rawValue: 2)
    }

    init(_ handle: StreamHandle) {
        self.handle = handle
        // The one way from the handle's callbacks back to here, without a closure to keep for each connection.
        handle.attachment = self
    }

    // MARK: Reading

    /// What ``beginRead(upTo:byOwner:)`` found.
    enum Begun {
        case bytes([UInt8]?)
        /// The caller suspends; the number tells its read from later ones.
        case waits(UInt32)
    }

    /// A read by the task of the scope; `nil` for any other caller.
    @inline(__always)
    func beginOwnersRead(upTo limit: Int) throws -> Begun? {
        unsafe owner.isCurrent ? try beginRead(upTo: limit, byOwner: true) : nil
    }

    @inline(__always)
    func beginRead(upTo limit: Int, byOwner: Bool) throws -> Begun {
        if unsafe reader.isWaiting { throw isBeingRead }
        if unsafe returned != nil, let bytes = try takeReturned(limit) { return .bytes(bytes) }
        let outcome: StreamHandle.ReadOutcome
        do throws(UVError) { outcome = try handle.read(upTo: limit, onDone: streamReceived) } catch {
            throw handle.presented(error)
        }
        switch outcome {
        case .bytes(let bytes):
            didRead()
            return .bytes(bytes)
        case .ended: return .bytes(nil)
        case .waiting: return .waits(beginWait(byOwner: byOwner))
        }
    }

    /// - Returns: The number of the read that waits from now on.
    @inline(__always)
    func beginWait(byOwner: Bool) -> UInt32 {
        unsafe readerIsOwner = byOwner
        unsafe reads &+= 1
        return unsafe reads
    }

    /// Whether the caller is the task of the scope.
    @inline(__always)
    var isOwners: Bool { unsafe owner.isCurrent }

    @inline(__always)
    func wait(_ reader: Suspension<[UInt8]?>) {
        if unsafe returned != nil, hasEnded(reader, timeout: nil) { return }
        unsafe self.reader = reader
    }

    /// Resumes a task whose read has ended before the task was suspended. Otherwise the read's time begins.
    private func hasEnded(_ reader: Suspension<[UInt8]?>, timeout: Duration?) -> Bool {
        withReturned { returned in
            if unsafe returned.early != nil {
                resume(reader, returned)
                return true
            }
            if let clock = unsafe returned.clock {
                unsafe Unmanaged.passUnretained(clock)._withUnsafeGuaranteedRef { $0.readBegins(timeout) }
            }
            return false
        }
    }

    @inline(never)
    private func resume(_ reader: Suspension<[UInt8]?>, _ returned: Returned) {
        guard let early = unsafe returned.early.take() else { return }
        var reader = reader
        reader.resume(with: early)
    }

    /// Lends what few connections need, of a connection that has it.
    @inline(__always)
    private func withReturned<Result>(_ body: (Returned) throws -> Result) rethrows -> Result {
        unsafe try Unmanaged.passUnretained(returned.unsafelyUnwrapped)._withUnsafeGuaranteedRef(body)
    }

    /// As ``wait(_:)``, for a read that may end before something comes.
    func wait(_ reader: Suspension<[UInt8]?>, _ limits: ReadLimits, on core: LoopCore) {
        if limits.timeout != nil { makeClock(in: core.sleeps) }
        if unsafe returned != nil, hasEnded(reader, timeout: limits.timeout) { return }
        unsafe self.reader = reader
        guard limits.untilDraining else { return }
        unsafe state.insert(.drains)
        if core.servers.isDraining(server) { drain() }
    }

    /// Keeps the end of a read whose task is not suspended yet: see ``RuntimeShortcuts``.
    private func keep(_ early: Result<[UInt8]?, any Error>) {
        let returned = makeReturned()
        unsafe returned.early = early
    }

    func received(_ result: Result<[UInt8]?, UVError>) {
        guard unsafe reader.isWaiting else { return keep(result.mapError(handle.presented)) }
        switch result {
        case .success(let bytes): unsafe reader.resume(returning: bytes)
        case .failure(let error): unsafe reader.resume(with: .failure(handle.presented(error)))
        }
        didRead()
    }

    /// A read has ended, without a wait or after one.
    @inline(__always)
    func didRead() { if unsafe state != [] { readEnded() } }

    @inline(never)
    private func readEnded() {
        unsafe state.remove(.drains)
        if unsafe state.contains(.sends) { clock?.moved() }
    }

    /// Ends a read with `CancellationError`. No byte is lost: what comes is for the next one.
    func cancelRead(_ number: UInt32) {
        if unsafe number == reads { endRead(with: .failure(CancellationError())) }
    }

    /// Ends the read that waits. No byte is lost: what comes is for the next one.
    func endRead(with result: Result<[UInt8]?, any Error>) {
        let isReading = handle.cancelRead()
        if isReading, case .failure = result { EventLoop.current?.gauges.abandoned.add(1) }
        unsafe state.remove(.drains)
        if unsafe reader.isWaiting {
            unsafe reader.resume(with: result)
        } else if isReading {
            keep(result)
        }
    }

    /// The number of the task that waits to read; 0 for none.
    var readingTask: UInt { unsafe reader.task }

    var isReaderWaiting: Bool { unsafe reader.isWaiting }

    // MARK: Time limits

    /// The connection's clock, if it has or had limits.
    var clock: StreamClock? { unsafe returned?.clock }

    /// Makes the connection's clock at its first limit.
    private func makeClock(in queue: @autoclosure () -> SleepQueue) {
        if unsafe returned != nil, withReturned({ unsafe $0.clock != nil }) { return }
        let returned = makeReturned()
        unsafe returned.clock = StreamClock(of: self, in: queue())
    }

    var idleTimeout: Duration? { clock?.idleTimeout }

    func setIdleTimeout(_ timeout: Duration?, in queue: @autoclosure () -> SleepQueue) {
        if timeout != nil { makeClock(in: queue()) }
        clock?.idleTimeout = timeout
    }

    /// Something that the system has no room for begins to wait, or has ended.
    func sendingBegins(_ wait: WaitLink) { setSends(clock?.sendingBegins(wait)) }

    func sendingEnds(_ wait: WaitLink) { setSends(clock?.sendingEnds(wait)) }

    /// - Parameter sends: Whether the clock watches writes now; `nil` without a clock.
    private func setSends(_ sends: Bool?) {
        if sends == true { unsafe state.insert(.sends) } else { unsafe state.remove(.sends) }
    }

    /// Bytes have moved on the connection, in either direction.
    @inline(__always)
    func noteMove() {
        if unsafe reader.isWaiting || state.contains(.sends) { clock?.moved() }
    }

    // MARK: Draining

    /// The server that the connection belongs to, among those of its loop: see ``Servers``.
    var server: ServerNumber { unsafe serverNumber }

    /// The connection's server drains: ends a read that waits for the next message, unless bytes of it are here already.
    func drain() {
        if unsafe state.contains(.drains), unsafe reader.isWaiting, !handle.hasUnreadBytes {
            endRead(with: .success(nil))
        }
    }

    /// Whether the connection only waits, and nothing has come.
    var canBeSpared: Bool { unsafe reader.isWaiting && !handle.hasUnreadBytes }

    /// Bytes that came and were not taken; `nil` when there are none.
    private func takeReturned(_ limit: Int) throws -> [UInt8]? {
        if withReturned({ unsafe $0.bytes.isEmpty && $0.room == nil }) { return nil }
        if limit < 1 { throw handle.readError(.invalidArgument, in: "read", of: "up to \(limit) bytes") }
        guard let returned = unsafe returned else { return nil }
        if unsafe returned.room != nil { throw isBeingRead }
        guard let bytes = unsafe returned.bytes.take(upTo: limit) else { return nil }
        if unsafe returned.bytes.isEmpty { passMemoryOn(returned) }
        return bytes
    }

    /// Puts bytes before what was given back earlier; after a close they are dropped.
    func giveBack(_ rest: consuming LineSplitter) {
        if rest.isEmpty || handle.isClosing { return }
        let returned = makeReturned()
        if unsafe returned.bytes.isEmpty {
            unsafe returned.bytes = rest
        } else if let rest = rest.take(upTo: .max) {
            unsafe returned.bytes.prepend(rest)
        }
    }

    var isBeingRead: UVError {
        let peer = handle.peerName.map { " with \($0)" } ?? ""
        return UVError(.alreadyInProcess, in: "read", of: "a connection\(peer), which another task reads")
    }

    /// Whether bytes have come that no reader has taken, or a reader takes them now.
    var keepsBytes: Bool {
        guard let returned = unsafe returned else { return unsafe reader.isWaiting }
        return unsafe reader.isWaiting || !returned.bytes.isEmpty || returned.room != nil
    }

    // MARK: Writing

    @inline(__always)
    func tryWrite(_ bytes: Span<UInt8>) throws -> Int {
        let sent: Int
        do throws(UVError) { sent = try handle.tryWrite(bytes) } catch { throw handle.presented(error) }
        if sent > 0 { noteMove() }
        return sent
    }

    // MARK: The owner's scope

    func openScope(of server: ServerNumber) {
        unsafe owner = .current
        unsafe serverNumber = server
    }

    func closeScope() {
        unsafe owner = .none
        unsafe serverNumber = .none
    }

    /// The owner was cancelled.
    func cancelOwner() { if unsafe readerIsOwner { unsafe cancelRead(reads) } }

    // MARK: Closing

    /// - Returns: What is left of the connection until the peer has finished.
    @discardableResult
    func close() -> LingeringClose? {
        dropReturned()
        return handle.closeGently()
    }

    /// Closes in another way.
    func close(_ close: (StreamHandle) -> Void) {
        dropReturned()
        close(handle)
    }

    private func dropReturned() {
        guard let returned = unsafe returned else { return }
        unsafe returned.bytes = LineSplitter()
        unsafe returned.clock?.leave()
    }
}

private func streamReceived(_ stream: StreamHandle, _ result: Result<[UInt8]?, UVError>) {
    // The stream keeps its core until after its last callback.
    unsafe stream.lentAttachment?._withUnsafeGuaranteedRef {
        unsafe unsafeDowncast($0, to: StreamCore.self).received(result)
    }
}
