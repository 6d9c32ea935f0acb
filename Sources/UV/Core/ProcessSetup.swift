internal import UVPlatform

/// What a process needs before its first loop.
enum ProcessSetup {
    static let once: Void = {
        fillStandardDescriptors()
        ignoreBrokenPipes()
        ProcessExit.prepare()
    }()

    /// A socket that got number 0, 1 or 2 would never be closed by libuv: its peer would wait for ever.
    private static func fillStandardDescriptors() {
        for descriptor: CInt in 0...2 where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest free number is taken, so this fills `descriptor` itself.
            _ = unsafe open("/dev/null", O_RDWR)
        }
    }

    /// libuv writes without MSG_NOSIGNAL. A handler that somebody has set stays.
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
