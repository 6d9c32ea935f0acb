internal import UV

/// An alarm that goes by the time of a ``TwinClock``.
final class TwinAlarm: Alarm {
    /// Calls from inside the loop, where jobs are run afterwards.
    private let idle: IdleHandle
    private let onTime: () -> Void
    /// When the alarm is to ring, in nanoseconds; `nil` for never.
    private(set) var time: Int64?

    init(on loop: Loop, _ onTime: @escaping () -> Void) throws(UVError) {
        idle = try IdleHandle(on: loop)
        idle.isInternal = true
        self.onTime = onTime
    }

    var handle: Handle { idle }

    func set(to time: Int64) throws(UVError) {
        if idle.isClosing { throw UVError(.badFileDescriptor, in: "sleep", of: "a loop that has shut down") }
        self.time = time
    }

    func close() { time = nil }

    /// Rings in the loop's next turn.
    func ring() throws(UVError) {
        time = nil
        try idle.start { [unowned self] idle in
            idle.stop()
            onTime()
        }
    }
}
