internal import CLibuv
internal import DequeModule

/// The writes of one stream that did not fit into its socket.
///
/// libuv 1.44.2 finishes one request in a turn. So all writes that wait leave in one request, and the next request begins when
/// that one is done.
@safe
final class WriteBacklog {
    private struct Entry {
        var bytes: [UInt8]
        var start: Int
        /// Names a write that may be taken back.
        var tag: AnyObject?
        /// Whether something before these bytes belongs to the same write.
        var isBegun: Bool
        /// What travels with the first byte. A handle of our own, closed when the bytes have left.
        var passenger: StreamHandle?
        var onDone: ((StreamHandle, UVError?) -> Void)?
        /// Whether it is the end of our side, for the filter.
        var isEnd = false
        var count: Int { bytes.count - start }
    }

    /// The most that one system call takes (IOV_MAX).
    static let mostChunks = 1_024
    /// The most bytes of one request. In a larger one `onDone` of the first write would wait long for the last write.
    private static let mostBytes = 1 << 20
    /// Small arrays are joined up to this size.
    private static let smallChunk = 4_096

    private var waiting: Deque<Entry> = []
    private var leaving: [Entry] = []
    private(set) var waitingBytes = 0
    /// What ended the stream for writing. Kept, so that a write whose bytes were lost is not followed by one that succeeds.
    private(set) var failure: UVError?
    /// The end of our side, when it was asked for and has not come.
    var shutdown: ShutdownRequest?
    /// Whether that waits for writes.
    var shutdownWaits = false
    private var raw: UnsafeMutablePointer<uv_write_t>?
    /// What turns the bytes into those that are sent.
    var filter: InstalledFilter?

    deinit { unsafe raw?.deallocate() }

    /// Whether new bytes must queue.
    var isBusy: Bool { !leaving.isEmpty }
    /// Whether new bytes must not go straight to the system.
    var isDiverted: Bool { filter != nil || isBusy }

    func add(
        _ bytes: [UInt8], from start: Int, tag: AnyObject?, isBegun: Bool, sending passenger: StreamHandle? = nil,
        _ onDone: ((StreamHandle, UVError?) -> Void)?, to stream: StreamHandle
    ) throws(UVError) {
        var entry = Entry(
            bytes: bytes, start: start, tag: tag, isBegun: isBegun, passenger: passenger, onDone: onDone)
        if let filter, unsafe filter.sealedAhead > 0, entry.count > 0 {
            entry.start += unsafe filter.sealedAhead
            entry.isBegun = true
            unsafe filter.sealedAhead = 0
        }
        if let last = waiting.last, last.onDone == nil, last.start == 0, last.tag === tag, passenger == nil,
            last.bytes.count + entry.count <= Self.smallChunk
        {
            waiting[waiting.count - 1].bytes += bytes[entry.start...]
            waiting[waiting.count - 1].onDone = onDone
        } else {
            waiting.append(entry)
        }
        waitingBytes += entry.count
        guard leaving.isEmpty else { return }
        let status = submit(stream, isRefused: !stream.isBlocking)
        if status < 0 {
            (leaving, waiting, waitingBytes) = ([], [], 0)
            throw stream.writeError(.init(rawValue: status))
        }
    }

    /// Forgets a write of which libuv has seen nothing.
    func takeBack(_ tag: AnyObject) -> Bool {
        guard let start = waiting.first(where: { $0.tag === tag }), !start.isBegun else { return false }
        waiting.removeAll { $0.tag === tag }
        waitingBytes = waiting.reduce(0) { $0 + $1.count }
        return true
    }

    /// Hands the next batch to libuv, which tries at once unless the system has just taken no more.
    private func submit(_ stream: StreamHandle, isRefused: Bool) -> CInt {
        if let filter { return seal(for: stream, filter, isRefused: isRefused) }
        var bytes = 0
        while let entry = waiting.first, leaving.count < Self.mostChunks, bytes < Self.mostBytes {
            // libuv takes one passenger with each request, for its first byte.
            if entry.passenger != nil, !leaving.isEmpty { break }
            bytes += entry.count
            leaving.append(entry)
            waiting.removeFirst()
        }
        waitingBytes -= bytes
        return hand(to: stream, leaving[...], isRefused: isRefused)
    }

    private func hand(to stream: StreamHandle, _ entries: ArraySlice<Entry>, isRefused: Bool) -> CInt {
        let buffers = unsafe entries.map { unsafe uv_buf_t(stableBytesOf: $0.bytes, from: $0.start) }
        let request = unsafe raw ?? .allocate(capacity: 1)
        unsafe raw = request
        // The stream keeps itself, and so this backlog, until libuv has finished or cancelled the request.
        unsafe request.pointee.data = Unmanaged.passUnretained(stream).toOpaque()
        if let passenger = leaving.first?.passenger {
            return unsafe uv_write2(
                request, stream.stream, buffers, UInt32(buffers.count), passenger.stream, writeFinished)
        }
        let write = unsafe isRefused ? clibuv_write_later : uv_write
        return unsafe write(request, stream.stream, buffers, UInt32(buffers.count), writeFinished)
    }

    fileprivate func finished(_ status: CInt, _ stream: StreamHandle) {
        let left = leaving
        leaving = []
        if status == 0 { stream.loop.tally.bytesSent.add(left.reduce(0) { $0 + $1.count }) }
        var next = status
        if status == 0, !waiting.isEmpty || hasSealed {
            next = stream.isOpen ? submit(stream, isRefused: false) : UV_ECANCELED.rawValue
        }
        var refused: [Entry] = []
        if next < 0 {
            if stream.isOpen { failure = stream.writeError(.init(rawValue: next)) }
            refused = leaving + waiting
            leaving = []
            waiting = []
            waitingBytes = 0
        }
        call(left, stream, status)
        call(refused, stream, next)
        // libuv may call the end's closure before those of writes that it has done within this call.
        if leaving.isEmpty { endStream(stream, min(status, next)) }
        if let filter, unsafe filter.isPaused { stream.resumeFiltered(filter, self) }
    }

    // MARK: A filter

    private var hasSealed: Bool { filter.map { $0.filter.unsentCount > 0 } ?? false }

    /// Seals the next bytes, now that it is their turn, and hands them to libuv.
    private func seal(for stream: StreamHandle, _ installed: InstalledFilter, isRefused: Bool) -> CInt {
        var count = 0
        // Sealed whole; libuv has their bytes in another form.
        var sealed: [Entry] = []
        do throws(UVError) {
            while count < InstalledFilter.batch, let entry = waiting.first {
                let next = min(entry.count, InstalledFilter.batch - count)
                if entry.isEnd { installed.filter.sealEnd() }
                if next > 0 {
                    try installed.filter.seal(entry.bytes.span.extracting(entry.start..<entry.start + next))
                }
                count += next
                waitingBytes -= next
                waiting[0].start += next
                waiting[0].isBegun = true
                if next == entry.count { sealed.append(waiting.removeFirst()) }
            }
        } catch {
            leaving = sealed
            return error.code.rawValue
        }
        leaving = [Entry(bytes: takeSealed(of: installed), start: 0, isBegun: true)] + sealed
        return hand(to: stream, leaving[..<1], isRefused: isRefused)
    }

    private func takeSealed(of installed: InstalledFilter) -> [UInt8] {
        var taken: [UInt8] = []
        try? installed.filter.send { bytes throws(UVError) in
            taken = [UInt8](copying: bytes)
            return bytes.count
        }
        return taken
    }

    /// Sends what is sealed; what the system does not take at once leaves behind it. Only when nothing is leaving.
    func sendSealed(of installed: InstalledFilter, to stream: StreamHandle) throws(UVError) {
        var rest: [UInt8] = []
        try installed.filter.send { bytes throws(UVError) in
            let sent = try stream.sendRaw(bytes)
            if sent < bytes.count { rest = [UInt8](copying: bytes.extracting(droppingFirst: sent)) }
            return bytes.count
        }
        if rest.isEmpty { return }
        leaving = [Entry(bytes: rest, start: 0, isBegun: true)]
        let status = hand(to: stream, leaving[...], isRefused: !stream.isBlocking)
        if status < 0 {
            leaving = []
            throw stream.writeError(.init(rawValue: status))
        }
    }

    /// The end of our side, behind what waits.
    func addEnd(to stream: StreamHandle) throws(UVError) {
        guard let filter else { return }
        if isBusy { return waiting.append(Entry(bytes: [], start: 0, isBegun: true, isEnd: true)) }
        filter.filter.sealEnd()
        try sendSealed(of: filter, to: stream)
    }

    /// Nothing more can be sent.
    func fail(_ error: UVError) { if failure == nil { failure = error } }

    // MARK: Ending

    private func call(_ entries: [Entry], _ stream: StreamHandle, _ status: CInt) {
        let error = status < 0 ? stream.writeError(.init(rawValue: status)) : nil
        for entry in entries {
            entry.passenger?.close()
            entry.onDone?(stream, error)
        }
    }

    /// Behind the closures of all writes. One of them may have closed the stream.
    private func endStream(_ stream: StreamHandle, _ status: CInt) {
        guard shutdownWaits, let shutdown else { return }
        shutdownWaits = false
        let status = stream.isOpen ? status : UV_ECANCELED.rawValue
        if status < 0 { return shutdown.finish(UVError.Code(rawValue: status)) }
        do throws(UVError) { try shutdown.begin() } catch { shutdown.finish(error.code) }
    }
}

private func writeFinished(_ raw: UnsafeMutablePointer<uv_write_t>?, _ status: CInt) {
    unsafe callBack(raw, StreamHandle.self) { unsafe $0.backlog?.finished(status, $0) }
}
