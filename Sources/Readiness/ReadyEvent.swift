/// A descriptor that is ready, and for what.
///
/// It is a hint, not a promise: by the time it is served another thread may have taken the bytes, or the kernel
/// may have dropped them (a wrong checksum, a connection that was reset before it was accepted). Serve it
/// without blocking and take "would block" for an answer.
public struct ReadyEvent: Hashable, Sendable {
    /// The descriptor that is ready.
    public let descriptor: CInt
    /// What it is ready for.
    public let readiness: Readiness

    /// An event, for pollers and tests.
    public init(descriptor: CInt, readiness: Readiness) {
        self.descriptor = descriptor
        self.readiness = readiness
    }

    /// What a descriptor is ready for.
    public struct Readiness: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Bytes, the end, or a connection to accept are there.
        public static let readable = Readiness(rawValue: 1)
        /// There is room in the send buffer, or connecting has ended.
        public static let writable = Readiness(rawValue: 2)
        /// Urgent data is there (`POLLPRI`).
        public static let priority = Readiness(rawValue: 4)

        /// Both directions are closed. Bytes may still wait to be read: it comes together with `readable`,
        /// and reading finds first the bytes, then the end. Select cannot tell it from `readable`.
        public static let hungUp = Readiness(rawValue: 16)

        /// An error waits: the next receive or send throws it. Select cannot tell it from `readable`.
        public static let failed = Readiness(rawValue: 32)

        /// The number is no open descriptor: it was closed while it was watched. Take it out. Epoll says nothing.
        public static let invalid = Readiness(rawValue: 64)
    }
}
