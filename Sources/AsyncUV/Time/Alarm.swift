internal import CPlatform
internal import SystemPackage
internal import UV

/// What tells a ``SleepQueue`` that a time has come.
protocol Alarm: AnyObject {
    /// The handle on the loop, which the loop's end closes.
    var handle: Handle { get }

    /// Sets the one time of the alarm, in nanoseconds of `Loop.hrtime`.
    func set(to time: Int64) throws(UVError)

    /// Gives back what it has besides the handle.
    func close()
}

/// A timer of libuv: whole milliseconds, and no system call.
final class LoopAlarm: Alarm {
    private let timer: TimerHandle
    private let onTime: (TimerHandle) -> Void

    init(on loop: Loop, _ onTime: @escaping () -> Void) throws(UVError) {
        timer = try TimerHandle(on: loop)
        timer.isInternal = true
        self.onTime = { _ in onTime() }
    }

    var handle: Handle { timer }

    func set(to time: Int64) throws(UVError) {
        try timer.start(atMillisecond: UInt64(max(0, time / 1_000_000)), onTime)
    }

    func close() {}
}

/// A timer of the kernel: nanoseconds, for a system call each time.
final class KernelAlarm: Alarm {
    private let descriptor: FileDescriptor
    private let poll: PollHandle
    private var isOpen = true
    private var isSet = false

    init(on loop: Loop, _ onTime: @escaping () -> Void) throws(UVError) {
        let timer = cplatform_timer()
        if timer < 0 { throw UVError(.init(rawValue: timer), in: "sleep", of: "a timer of the kernel") }
        descriptor = FileDescriptor(rawValue: timer)
        do throws(UVError) {
            poll = try PollHandle(on: loop, watching: descriptor)
        } catch {
            try? descriptor.close()
            throw error
        }
        try poll.start(.readable) { [unowned self] _, _ in
            isSet = false
            onTime()
            // It stays readable otherwise.
            if !isSet, isOpen { cplatform_set_timer(descriptor.rawValue, 0) }
        }
        poll.isInternal = true
    }

    deinit { close() }

    var handle: Handle { poll }

    func set(to time: Int64) throws(UVError) {
        guard isOpen else { throw UVError(.badFileDescriptor, in: "sleep", of: "a loop that has shut down") }
        isSet = true
        cplatform_set_timer(descriptor.rawValue, max(1, time))
    }

    func close() {
        if isOpen { try? descriptor.close() }
        isOpen = false
    }
}
