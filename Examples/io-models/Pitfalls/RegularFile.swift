import Foundation
import Readiness
import Synchronization
import SystemPackage

/// Readiness of a regular file.
struct RegularFile: Pitfall {
    let name = "regular-file"
    let lesson = """
        A file on a disk is always "ready": select and poll say so, epoll refuses to watch it, and the read blocks all \
        the same while the disk works. Let a thread read and wake the loop: that is what libuv does.
        """

    func wrong() throws -> Finding {
        let file = try FileDescriptor.open(FilePath("/proc/self/exe"), .readOnly)
        defer { try? file.close() }
        var poll = try PollPoller()
        try poll.add(file.rawValue, .readable)
        let events = try poll.wait(upTo: .zero).count
        var answer = "accepted"
        do {
            var epoll = try EpollPoller()
            try epoll.add(file.rawValue, .readable)
        } catch { answer = "\(error)" }
        return Finding(
            text: "poll: \(events) event, before anything was read; epoll: \(answer)", isTrouble: events == 1)
    }

    func right() throws -> Finding {
        var poller = try EpollPoller()
        let waker = poller.waker
        let count = Mutex<Int?>(nil)
        try WorkerThread.start {
            let bytes = try? FileHandle(forReadingFrom: URL(filePath: "/proc/self/exe")).read(upToCount: 65_536)
            count.withLock { $0 = bytes?.count ?? 0 }
            waker.wake()
        }
        // The loop is free for sockets meanwhile.
        while count.withLock({ $0 }) == nil { _ = try poller.wait() }
        let bytes = count.withLock { $0! }
        return Finding(text: "a thread read \(bytes) bytes and woke epoll_wait", isTrouble: bytes != 65_536)
    }
}
