import CGLib
import UVEmbedding

/// Lets GLib's main loop drive a loop: GTK, GStreamer and what else runs on it. Copy this file into your program.
///
/// A source of GLib with the three steps of a ``LoopDriver``: `prepare` asks for the timeout before each wait,
/// `check` looks whether the loop is due, `dispatch` makes a turn. GLib does not look at a source during its own
/// `dispatch`, so a modal dialog that is opened by code of the loop does not spin.
///
/// GLib does not look at a source either while one of a higher priority is ready, and one that always is would starve the
/// loop. So there is a second source, the watchman, at the priority of input: while GLib is awake, it makes a turn when none was made
/// for ten milliseconds.
@safe
final class GLibLoopAdapter {
    /// What GLib allocates for a source: its own part, then ours.
    @unsafe private struct Source {
        var base: GSource
        var seat: Unmanaged<Seat>
    }

    /// What both sources share.
    @safe
    private final class Seat {
        let driver: LoopDriver
        var main: UnsafeMutablePointer<GSource>?
        var watchman: UnsafeMutablePointer<GSource>?
        /// The descriptor of the main source.
        var tag: gpointer?
        /// When the last turn ended, by GLib's clock.
        var lastTurn = g_get_monotonic_time()

        init(_ driver: LoopDriver) { self.driver = driver }

        func turn() -> gboolean {
            driver.turn()
            lastTurn = g_get_monotonic_time()
            if driver.hasEnded { end() }
            return driver.hasEnded ? 0 : 1
        }

        func end() {
            guard let main = unsafe main, let watchman = unsafe watchman else { return }
            unsafe self.main = nil
            unsafe self.watchman = nil
            driver.detach()
            unsafe g_source_destroy(watchman)
            unsafe g_source_destroy(main)
        }
    }

    private nonisolated(unsafe) static var mainFunctions = unsafe GSourceFuncs(
        prepare: { source, timeout in unsafe GLibLoopAdapter.prepare(source, timeout) },
        check: { source in unsafe GLibLoopAdapter.check(source) },
        dispatch: { source, _, _ in unsafe GLibLoopAdapter.seat(source).turn() },
        finalize: { source in unsafe GLibLoopAdapter.finalize(source) }, closure_callback: nil, closure_marshal: nil)

    private nonisolated(unsafe) static var watchmanFunctions = unsafe GSourceFuncs(
        prepare: { source, timeout in
            unsafe timeout?.pointee = -1
            return unsafe GLibLoopAdapter.isOverdue(source)
        },
        check: { source in unsafe GLibLoopAdapter.isOverdue(source) },
        dispatch: { source, _, _ in unsafe GLibLoopAdapter.seat(source).turn() },
        finalize: { source in unsafe GLibLoopAdapter.finalize(source) }, closure_callback: nil, closure_marshal: nil)

    /// How long the loop waits for a turn beside sources that are always ready, in microseconds.
    private static let patience: gint64 = 10_000

    private let seat: Seat
    /// Kept until the end, because GLib may end its context, and the sources there, first.
    private let source: UnsafeMutablePointer<GSource>

    /// Starts to make the driver's turns in the calling thread's main context.
    ///
    /// - Parameter priority: As GLib counts: GTK draws at 120, and takes input at 0. The default is 200, so that a window stays
    ///   alive however busy the loop is. A loop that never waits starves sources of a priority below this one; a source
    ///   that is always ready starves the loop only above both this priority and that of input.
    init(_ driver: LoopDriver, priority: CInt = 200) throws {
        try driver.attach(to: "GLib")
        seat = Seat(driver)
        unsafe source = Self.make(&Self.mainFunctions, seat, priority)
        unsafe seat.main = source
        unsafe seat.tag = g_source_add_unix_fd(source, driver.descriptor.rawValue, G_IO_IN)
        let watchman = unsafe Self.make(&Self.watchmanFunctions, seat, min(priority, G_PRIORITY_DEFAULT))
        unsafe seat.watchman = watchman
        // The context keeps it.
        unsafe g_source_unref(watchman)
    }

    /// Ends the turns; the driver may be attached elsewhere. Again, or when the loop has ended, it does nothing.
    func detach() { seat.end() }

    deinit { unsafe g_source_unref(source) }

    private static func make(
        _ functions: UnsafeMutablePointer<GSourceFuncs>, _ seat: Seat, _ priority: CInt
    ) -> UnsafeMutablePointer<GSource> {
        guard let source = unsafe g_source_new(functions, guint(MemoryLayout<Source>.size)) else {
            fatalError("GLib makes no source")
        }
        unsafe UnsafeMutableRawPointer(source).assumingMemoryBound(to: Source.self).pointee.seat = .passRetained(seat)
        unsafe g_source_set_priority(source, priority)
        _ = unsafe g_source_attach(source, g_main_context_get_thread_default())
        return unsafe source
    }

    private static func seat(_ source: UnsafeMutablePointer<GSource>?) -> Seat {
        let source = unsafe UnsafeMutableRawPointer(source.unsafelyUnwrapped).assumingMemoryBound(to: Source.self)
        return unsafe source.pointee.seat.takeUnretainedValue()
    }

    private static func prepare(_ source: UnsafeMutablePointer<GSource>?, _ wait: UnsafeMutablePointer<gint>?)
        -> gboolean
    {
        let timeout = unsafe seat(source).driver.timeout
        unsafe wait?.pointee = timeout.map { gint(clamping: Int64($0 / .milliseconds(1))) } ?? -1
        return timeout == .zero ? 1 : 0
    }

    private static func check(_ source: UnsafeMutablePointer<GSource>?) -> gboolean {
        let seat = unsafe seat(source)
        let isReadable = unsafe g_source_query_unix_fd(source, seat.tag).rawValue & G_IO_IN.rawValue != 0
        return isReadable || seat.driver.timeout == .zero ? 1 : 0
    }

    private static func isOverdue(_ source: UnsafeMutablePointer<GSource>?) -> gboolean {
        let seat = unsafe seat(source)
        return unsafe !seat.driver.isTurning && g_source_get_time(source) - seat.lastTurn > patience ? 1 : 0
    }

    private static func finalize(_ source: UnsafeMutablePointer<GSource>?) {
        let source = unsafe UnsafeMutableRawPointer(source.unsafelyUnwrapped).assumingMemoryBound(to: Source.self)
        unsafe source.pointee.seat.release()
    }
}
