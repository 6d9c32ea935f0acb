internal import SystemPackage
internal import UV

/// The part of a ``FollowedFile`` that lives on its loop's thread: the file that has the path at present, and what tells of changes.
///
/// Three handles wake the reader, who then looks for himself: one on the directory, one on the open file, which may have lost its
/// name, and one that looks at the path once a second.
final class FollowCore {
    private static let interval = Duration.seconds(1)

    private let path: FilePath
    private let loop: Loop
    private let directoryEvents: FileEventHandle
    private let fileEvents: FileEventHandle
    private let looks: FilePollHandle

    private(set) var file: File?
    private var status: FileStatus?
    var offset: Int64 = 0
    /// Whether it was told that nothing has the path.
    var isGone = false
    /// Whether something has happened since the last look.
    var isAwake = false
    private var waiting: Wait<Void>?
    private var isBusy = false

    init(_ path: FilePath, on loop: Loop) throws(UVError) {
        if path.isEmpty { throw UVError(.noSuchFileOrDirectory, in: "follow", of: "an empty path") }
        self.path = path
        self.loop = loop
        directoryEvents = try FileEventHandle(on: loop)
        fileEvents = try FileEventHandle(on: loop)
        looks = try FilePollHandle(on: loop)
        for handle in [directoryEvents, fileEvents, looks] { handle.label = "following \(path)" }
        watchDirectory()
        do throws(UVError) { try looks.start(path, every: Self.interval) { [unowned self] _, _ in wake() } } catch {
            close()
            throw error
        }
    }

    /// Whether an error says that there is no such file.
    static func isAbsence(_ error: UVError) -> Bool { [.noSuchFileOrDirectory, .notDirectory].contains(error.code) }

    func isFollowing(_ found: FileStatus) -> Bool {
        file != nil && status?.inode == found.inode && status?.device == found.device
    }

    func follow(_ file: File, _ status: FileStatus, from offset: Int64) {
        self.file = file
        self.status = status
        self.offset = offset
        isGone = false
        #if os(Linux)
        let name = FilePath("/proc/self/fd/\(file.descriptor.rawValue)")
        #else
        let name = path
        #endif
        // Without them the handle that looks once a second is enough.
        fileEvents.stop()
        let wakes: (FileEventHandle, Result<FileEventHandle.Event, UVError>) -> Void = { [unowned self] _, _ in wake() }
        // A process that has given up its rights may not look into /proc.
        do { try fileEvents.start(name, wakes) } catch { try? fileEvents.start(path, wakes) }
        watchDirectory()
    }

    /// The directory may be another one by now.
    private func watchDirectory() {
        let directory = path.removingLastComponent()
        let name = path.lastComponent
        try? directoryEvents.start(directory.isEmpty ? "." : directory) { [unowned self] _, result in
            if case .success(let event) = result, event.name != nil, event.name != name { return }
            wake()
        }
    }

    private func wake() {
        isAwake = true
        let waiting = waiting.take()
        waiting?.finish(.success(()))
    }

    func wait(_ wait: Wait<Void>) {
        if isAwake { return _ = wait.finish(.success(())) }
        waiting = wait
        wait.onCancel = { [unowned self] in waiting = nil }
    }

    /// Begins to look for bytes.
    func enter() throws(UVError) {
        if isBusy { throw UVError(.resourceBusy, in: "follow", of: "\(path), which another task reads") }
        isBusy = true
    }

    func leave() { isBusy = false }

    func close() {
        for handle in [directoryEvents, fileEvents, looks] { handle.close() }
        file = nil
    }
}
