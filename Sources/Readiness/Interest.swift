/// What to watch a descriptor for.
public struct Interest: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reading would not block: there are bytes, a connection to accept, the peer's end, or an error to fetch.
    public static let readable = Interest(rawValue: 1)

    /// Writing would not block. Nearly always true: watch for it only while something waits to be sent.
    public static let writable = Interest(rawValue: 2)

    /// Urgent data has come (select's "exceptional" set).
    public static let priority = Interest(rawValue: 4)

    /// One event, then silence until ``Poller/modify(_:_:)``: so that of several threads only one serves it.
    public static let once = Interest(rawValue: 8)
}
