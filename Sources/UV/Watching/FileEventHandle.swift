internal import CLibuv
public import SystemPackage

/// Calls a closure when a file, or a directory with what is directly in it, changes.
///
/// The system tells of the file behind the path, not of the path: an editor that saves a new file under the old name ends the
/// watch without a word but `.renamed`. Directories below are not watched. What happens faster than the loop can read is lost,
/// and nobody is told. ``TreeWatcher`` has none of these limits.
///
/// Changes that another computer makes on a network volume are not told: ``FilePollHandle`` sees those.
public final class FileEventHandle: Handle {
    /// What happened.
    public struct Kinds: OptionSet, Hashable, Sendable {
        public let rawValue: CInt
        public init(rawValue: CInt) { self.rawValue = rawValue }
        /// Something appeared, disappeared, or has another name.
        public static let renamed = Kinds(rawValue: 1)
        /// The content or what the system knows of it changed: permissions, times, ….
        public static let changed = Kinds(rawValue: 2)
    }

    /// Something that happened. Of one name all that happened since the last call is one event.
    public struct Event: Hashable, Sendable {
        /// What it happened to, in the directory that is watched; `nil` for the directory, or the file, itself.
        public var name: FilePath.Component?
        /// What has happened to it.
        public var kinds: Kinds

        /// An event, for tests.
        public init(name: FilePath.Component?, kinds: Kinds) {
            self.name = name
            self.kinds = kinds
        }
    }

    private var onEvent: ((FileEventHandle, Result<Event, UVError>) -> Void)?
    private var watched: FilePath?
    /// libuv reads until there is nothing more: a closure that was called from there, and changes what it watches, would keep
    /// the loop for ever. Here events wait for the next turn.
    private var delivery: TimerHandle?
    private var waiting: [Result<Event, UVError>] = []
    private var places: [FilePath.Component?: Int] = [:]
    /// Counts starts and stops, so that events of an earlier watch are not told.
    private var epoch = 0
    private var raw: UnsafeMutablePointer<uv_fs_event_t> { unsafe memory.assumingMemoryBound(to: uv_fs_event_t.self) }

    /// Creates a handle that watches nothing yet. Calls `uv_fs_event_init`.
    public init(on loop: Loop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        unsafe try super.init(on: loop, as: uv_fs_event_t.self, "file event handle creation", file, line) {
            unsafe uv_fs_event_init(loop.raw, $0)
        }
    }

    /// Watches a file or directory, in place of an earlier one. A symbolic link's target is meant. The closure is called in a
    /// later turn, once for each name.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.permissionDenied`, `.noSpace` or `.tooManyOpenFiles` with the name
    ///   of the system's limit; an earlier watch goes on.
    ///
    /// Calls `uv_fs_event_start`.
    public func start(
        _ path: FilePath, _ onEvent: @escaping (FileEventHandle, Result<Event, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("start")
        // libuv refuses a second start, and a handle that was stopped for it would have lost its watch to a wrong path.
        if isActive { try tryOut(path) }
        halt()
        try begin(path)
        watched = path
        self.onEvent = onEvent
    }

    private func tryOut(_ path: FilePath) throws(UVError) {
        let probe = try FileEventHandle(on: loop)
        probe.isInternal = true
        defer { probe.close() }
        try probe.begin(path)
    }

    private func begin(_ path: FilePath) throws(UVError) {
        if delivery == nil {
            let delivery = try TimerHandle(on: loop)
            delivery.isInternal = true
            self.delivery = delivery
        }
        let status = unsafe path.withPlatformString { unsafe uv_fs_event_start(raw, fileEventHappened, $0, 0) }
        if status < 0 { throw WatchLimit.error(.init(rawValue: status), "start", of: path.string) }
    }

    /// Stops watching and drops the closure, with what has not been told yet. A stopped handle may be stopped again.
    ///
    /// Calls `uv_fs_event_stop`.
    public func stop() {
        checkThread()
        if isOpen { halt() }
    }

    private func halt() {
        unsafe uv_fs_event_stop(raw)
        forget()
    }

    private func forget() {
        onEvent = nil
        watched = nil
        waiting = []
        places = [:]
        epoch += 1
    }

    /// What is watched, as it was given; `nil` for a handle that watches nothing.
    ///
    /// libuv says only whether there is something: for a file with two names it has the path of the handle that came first.
    ///
    /// Calls `uv_fs_event_getpath`.
    public var path: FilePath? {
        checkThread()
        // No path fits in.
        var byte: CChar = 0
        var size = 1
        let isWatching = unsafe isOpen && uv_fs_event_getpath(raw, &byte, &size) == UV_ENOBUFS.rawValue
        return isWatching ? watched : nil
    }

    override func willClose() { delivery?.close() }

    override func dropClosures() { forget() }

    fileprivate func happened(_ name: UnsafePointer<CChar>?, _ kinds: Kinds, _ status: CInt) {
        if status < 0 {
            waiting.append(.failure(UVError(.init(rawValue: status), in: "watch", of: watched?.string)))
        } else {
            let component = unsafe name.flatMap {
                unsafe clibuv_is_about_itself(raw, $0) != 0 ? nil : FilePath.Component(platformString: $0)
            }
            note(component, kinds)
        }
        guard let delivery, !delivery.isActive else { return }
        delivery.keepsLoopAlive = keepsLoopAlive
        // It cannot fail: the delay is right, and the timer is open as long as this handle.
        try? delivery.start(after: .zero) { [unowned self] _ in deliver() }
    }

    private func note(_ name: FilePath.Component?, _ kinds: Kinds) {
        if let place = places[name], case .success(var event) = waiting[place] {
            event.kinds.formUnion(kinds)
            waiting[place] = .success(event)
        } else {
            places[name] = waiting.count
            waiting.append(.success(Event(name: name, kinds: kinds)))
        }
    }

    private func deliver() {
        let events = waiting
        let epoch = epoch
        waiting = []
        places = [:]
        for event in events {
            guard self.epoch == epoch, let call = onEvent else { return }
            call(self, event)
        }
    }
}

private func fileEventHappened(
    _ raw: UnsafeMutablePointer<uv_fs_event_t>?, _ name: UnsafePointer<CChar>?, _ events: CInt, _ status: CInt
) {
    unsafe callBack(raw, FileEventHandle.self) {
        unsafe $0.happened(name, FileEventHandle.Kinds(rawValue: events), status)
    }
}
