internal import CPlatform
internal import Synchronization
internal import UVPlatform

/// Prepares the process before its first loop.
enum ProcessSetup {
    private static let use = Atomic<Bool>(false)

    /// Whether libuv may have allocated memory that it keeps.
    static var isUsed: Bool { use.load(ordering: .acquiring) }

    static func noteUse() { use.store(true, ordering: .releasing) }

    static let once: Void = {
        noteUse()
        Tracing.begin()
        fillStandardDescriptors()
        ignoreBrokenPipes()
        cplatform_keep_freed_memory()
        ProcessExit.prepare()
    }()

    /// Opens the null device on descriptors 0 to 2 that are closed. Otherwise a socket would get such a number, which libuv
    /// never closes, and its peer would wait for ever.
    private static func fillStandardDescriptors() {
        for descriptor: CInt in 0...2 where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest free number is taken, so this fills `descriptor` itself.
            _ = unsafe open("/dev/null", O_RDWR)
        }
    }

    /// Ignores SIGPIPE, because libuv writes without MSG_NOSIGNAL. A handler that somebody has set stays.
    private static func ignoreBrokenPipes() {
        var action = sigaction()
        guard unsafe sigaction(SIGPIPE, nil, &action) == 0 else { return }
        #if canImport(Darwin)
        let isDefault = unsafe action.__sigaction_u.__sa_handler == nil
        #else
        let isDefault = unsafe action.__sigaction_handler.sa_handler == nil
        #endif
        if isDefault { _ = signal(SIGPIPE, SIG_IGN) }
    }
}
