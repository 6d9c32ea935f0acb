internal import CLibuv
internal import CPlatform
internal import UVPlatform

/// A point in time as file systems keep it: since the start of 1970, to the nanosecond.
///
/// With Foundation: `Date(timeIntervalSince1970: time.timeIntervalSince1970)` and back.
public struct FileTime: Hashable, Comparable, Sendable {
    /// Whole seconds, negative before 1970.
    public let seconds: Int64
    /// The rest, from 0 to 999,999,999: always later than ``seconds``.
    public let nanoseconds: Int32

    /// Makes a time of whole seconds and a rest.
    ///
    /// - Parameter nanoseconds: Any number; what makes whole seconds is added to them, to the last one that there is.
    public init(seconds: Int64, nanoseconds: Int64 = 0) {
        let (more, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let sum = seconds.addingReportingOverflow(rest < 0 ? more - 1 : more)
        self.seconds = sum.overflow ? (nanoseconds < 0 ? .min : .max) : sum.partialValue
        self.nanoseconds = Int32(rest < 0 ? rest + 1_000_000_000 : rest)
    }

    /// Makes a time of Foundation's measure.
    ///
    /// - Parameter interval: In seconds. What a file's time has no room for becomes the first or the last one that there is.
    public init(timeIntervalSince1970 interval: Double) {
        let whole = interval.rounded(.down)
        let seconds = Int64(exactly: whole) ?? (whole < 0 ? .min : .max)
        self.init(seconds: seconds, nanoseconds: whole.isFinite ? Int64(((interval - whole) * 1e9).rounded()) : 0)
    }

    init(_ raw: uv_timespec_t) { self.init(seconds: Int64(raw.tv_sec), nanoseconds: Int64(raw.tv_nsec)) }

    /// In seconds; to a quarter of a microsecond at present.
    public var timeIntervalSince1970: Double { Double(seconds) + Double(nanoseconds) / 1e9 }

    /// The present.
    public static var now: FileTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    public static func < (time: FileTime, other: FileTime) -> Bool {
        (time.seconds, time.nanoseconds) < (other.seconds, other.nanoseconds)
    }

    var raw: timespec { timespec(tv_sec: time_t(seconds), tv_nsec: Int(nanoseconds)) }
}
