import CGLib
import UVEmbedding

/// Lets GLib's main loop drive a loop: GTK, GStreamer and what else runs on it. Copy this file into your program.
///
/// A source of GLib with the three steps of a ``LoopDriver``: `prepare` asks for the timeout before each wait,
/// `check` looks whether the loop is due, `dispatch` makes a turn. GLib does not look at a source during its own
/// `dispatch`, so a modal dialog that is opened by code of the loop does not spin.
@safe
final class GLibLoopAdapter {
    /// What GLib allocates for the source: its own part, then ours.
    @unsafe private struct Source {
        var base: GSource
        var tag: gpointer?
        var driver: Unmanaged<LoopDriver>
    }

    private nonisolated(unsafe) static var functions = unsafe GSourceFuncs(
        prepare: { source, timeout in unsafe GLibLoopAdapter.prepare(source, timeout) },
        check: { source in unsafe GLibLoopAdapter.check(source) },
        dispatch: { source, _, _ in unsafe GLibLoopAdapter.dispatch(source) },
        finalize: { source in unsafe GLibLoopAdapter.finalize(source) },
        closure_callback: nil, closure_marshal: nil)

    private let source: UnsafeMutablePointer<GSource>

    /// Starts to make the driver's turns in the calling thread's main context.
    ///
    /// - Parameter priority: As GLib counts: GTK draws at 120, and takes input at 0. The default is 200, so that a
    ///   window stays alive however busy the loop is.
    init(_ driver: LoopDriver, priority: CInt = 200) throws {
        try driver.attach(to: "GLib")
        unsafe source = g_source_new(&Self.functions, guint(MemoryLayout<Source>.size))
        unsafe Self.ours(source).pointee.driver = .passRetained(driver)
        unsafe Self.ours(source).pointee.tag = unsafe g_source_add_unix_fd(source, driver.descriptor.rawValue, G_IO_IN)
        unsafe g_source_set_priority(source, priority)
        _ = unsafe g_source_attach(source, g_main_context_get_thread_default())
    }

    /// Ends the turns; the driver may be attached elsewhere. Again, or when the loop has ended, it does nothing.
    func detach() { if unsafe g_source_is_destroyed(source) == 0 { unsafe g_source_destroy(source) } }

    deinit { unsafe g_source_unref(source) }

    private static func ours(_ source: UnsafeMutablePointer<GSource>?) -> UnsafeMutablePointer<Source> {
        unsafe UnsafeMutableRawPointer(source.unsafelyUnwrapped).assumingMemoryBound(to: Source.self)
    }

    private static func prepare(_ source: UnsafeMutablePointer<GSource>?, _ wait: UnsafeMutablePointer<gint>?)
        -> gboolean
    {
        let timeout = unsafe ours(source).pointee.driver.takeUnretainedValue().timeout
        unsafe wait?.pointee = timeout.map { gint(clamping: Int64($0 / .milliseconds(1))) } ?? -1
        return timeout == .zero ? 1 : 0
    }

    private static func check(_ source: UnsafeMutablePointer<GSource>?) -> gboolean {
        let ours = unsafe ours(source)
        let isReadable = unsafe g_source_query_unix_fd(source, ours.pointee.tag).rawValue & G_IO_IN.rawValue != 0
        return unsafe isReadable || ours.pointee.driver.takeUnretainedValue().timeout == .zero ? 1 : 0
    }

    private static func dispatch(_ source: UnsafeMutablePointer<GSource>?) -> gboolean {
        let driver = unsafe ours(source).pointee.driver.takeUnretainedValue()
        driver.turn()
        return driver.hasEnded ? 0 : 1
    }

    private static func finalize(_ source: UnsafeMutablePointer<GSource>?) {
        let driver = unsafe ours(source).pointee.driver
        unsafe driver.takeUnretainedValue().detach()
        unsafe driver.release()
    }
}
