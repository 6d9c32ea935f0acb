import CReadiness
import Readiness

/// Records what one thread does.
///
/// The clock is not counted as a system call. It asks for two: the time, which Linux answers without entering the
/// kernel, and the thread's CPU time.
struct Track: Sendable {
    let origin: Int64
    private(set) var segments: [Segment] = []

    /// When a system call began.
    private(set) var calls: [Int64] = []

    /// Finished pieces of the thread's own work.
    private(set) var workUnits = 0

    init(origin: Int64) { self.origin = origin }

    private var now: Int64 { readiness_clock() - origin }

    /// A system call that is not IO itself: it waits, or it is quick and the thread counts as free.
    mutating func call<Result>(_ phase: Phase, _ body: () throws -> Result) rethrows -> Result {
        let start = now
        calls.append(start)
        let result = try body()
        add(phase, start, now)
        return result
    }

    /// Receives, and tells sleep from copying: whoever sleeps uses no CPU, so the CPU time of the call is its copying,
    /// at its end.
    ///
    /// - Parameter inVain: What the thread does in a call that brings nothing.
    mutating func receive(
        from socket: Socket, into buffer: inout [UInt8], mayBlock: Bool, inVain: Phase = .asking
    ) throws -> Received {
        let (start, cpu) = (now, readiness_thread_cpu_clock())
        calls.append(start)
        let received = try socket.receive(into: &buffer)
        let (end, used) = (now, readiness_thread_cpu_clock() - cpu)
        if received == .wouldBlock {
            add(inVain, start, end)
        } else {
            let border = mayBlock ? max(start, end - used) : start
            if border > start { add(.blocked, start, border) }
            add(.copying, border, end)
        }
        return received
    }

    /// One unit of the thread's own work.
    mutating func work(_ work: Work) {
        let start = now
        work.doOne()
        workUnits += 1
        add(.free, start, now)
    }

    /// Appends a segment; joins it to the last one when it goes on with the same. Each copying stands for a message.
    private mutating func add(_ phase: Phase, _ start: Int64, _ end: Int64) {
        if phase != .copying, let last = segments.last, last.phase == phase, start - last.end < 20_000 {
            segments[segments.count - 1].end = end
        } else {
            segments.append(Segment(phase: phase, start: start, end: end))
        }
    }

    func time(in phase: Phase) -> Int64 { segments.filter { $0.phase == phase }.map(\.length).reduce(0, +) }
}
