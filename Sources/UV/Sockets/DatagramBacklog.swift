internal import CLibuv
internal import DequeModule

/// The datagrams of one socket that did not fit into it.
///
/// libuv has one of them at a time, and tells when there is room again. The others leave by a system call of ours, because libuv
/// 1.44.2 fails twenty datagrams with the error of the first.
@safe
final class DatagramBacklog {
    private struct Entry {
        let bytes: [UInt8]
        let address: SocketAddress?
        let tag: AnyObject?
        let onDone: ((UDPHandle, UVError?) -> Void)?
    }

    private var waiting: Deque<Entry> = []
    private var leaving: Entry?
    private(set) var waitingBytes = 0
    private var request: UnsafeMutablePointer<uv_udp_send_t>?

    deinit { unsafe request?.deallocate() }

    /// Whether new datagrams must queue.
    var isBusy: Bool { leaving != nil }
    var waitingCount: Int { waiting.count }

    func add(
        _ bytes: [UInt8], to address: SocketAddress?, tag: AnyObject?, _ onDone: ((UDPHandle, UVError?) -> Void)?,
        of handle: UDPHandle
    ) throws(UVError) {
        let entry = Entry(bytes: bytes, address: address, tag: tag, onDone: onDone)
        if leaving != nil {
            waiting.append(entry)
            waitingBytes += bytes.count
            return
        }
        let status = submit(entry, handle)
        if status < 0 { throw handle.sendError(status, address) }
    }

    func takeBack(_ tag: AnyObject) -> Bool {
        guard let index = waiting.firstIndex(where: { $0.tag === tag }) else { return false }
        waitingBytes -= waiting.remove(at: index).bytes.count
        return true
    }

    /// Hands a datagram to libuv.
    private func submit(_ entry: Entry, _ handle: UDPHandle) -> CInt {
        let request = unsafe request ?? .allocate(capacity: 1)
        unsafe self.request = request
        // The handle keeps itself, and so this backlog, until libuv has finished or cancelled the request.
        unsafe request.pointee.data = Unmanaged.passUnretained(handle).toOpaque()
        leaving = entry
        var buffer = unsafe uv_buf_t(stableBytesOf: entry.bytes, from: 0)
        let status =
            if let address = entry.address {
                unsafe address.withSockaddr { address, _ in
                    unsafe uv_udp_send(request, handle.raw, &buffer, 1, address, datagramSent)
                }
            } else { unsafe uv_udp_send(request, handle.raw, &buffer, 1, nil, datagramSent) }
        if status < 0 { leaving = nil }
        return status
    }

    fileprivate func finished(_ status: CInt, _ handle: UDPHandle) {
        guard let first = leaving else { return }
        leaving = nil
        var done = [(first, status)]
        // An error may be about an earlier datagram: this one is tried again.
        if handle.isOpen, status < 0, handle.hasTakenReport(status) {
            done = []
            waiting.prepend(first)
            waitingBytes += first.bytes.count
        }
        while !waiting.isEmpty {
            if !handle.isOpen {
                done += waiting.map { ($0, UV_ECANCELED.rawValue) }
                waiting = []
                waitingBytes = 0
            } else if !sendNext(&done, handle) {
                break
            }
        }
        for (entry, status) in done {
            if status >= 0 { handle.loop.tally.bytesSent.add(entry.bytes.count) }
            entry.onDone?(handle, status < 0 ? handle.sendError(status, entry.address) : nil)
        }
    }

    /// - Returns: False when the system has no room, and libuv has the next one.
    private func sendNext(_ done: inout [(Entry, CInt)], _ handle: UDPHandle) -> Bool {
        let asked = min(waiting.count, DatagramReceiver.most)
        let entry = { [self] (index: Int) -> (UnsafeRawBufferPointer, SocketAddress?) in
            unsafe (waiting[index].bytes.withUnsafeBytes { unsafe $0 }, waiting[index].address)
        }
        var sent = unsafe handle.attempt(asked, entry)
        if sent < 0, handle.hasTakenReport(sent) { sent = unsafe handle.attempt(asked, entry) }
        if sent < 0, !handle.isFull(sent) {
            done.append((takeFirst(), sent))
            return true
        }
        if sent <= 0 {
            let next = takeFirst()
            sent = submit(next, handle)
            if sent < 0 { done.append((next, sent)) }
            return sent < 0
        }
        for _ in 0..<sent { done.append((takeFirst(), 0)) }
        return true
    }

    private func takeFirst() -> Entry {
        let entry = waiting.removeFirst()
        waitingBytes -= entry.bytes.count
        return entry
    }
}

private func datagramSent(_ raw: UnsafeMutablePointer<uv_udp_send_t>?, _ status: CInt) {
    unsafe callBack(raw, UDPHandle.self) { unsafe $0.backlog?.finished(status, $0) }
}
