public import ArgumentParser

/// Where a server listens, and how long its clients may be idle.
public struct ListenOptions: ParsableArguments {
    @Option(help: "The numeric address to listen on, IPv4 or IPv6.")
    public var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    public var port: UInt16 = 0

    @Option(
        help: "Close connections on which nothing happens for so long, for example 30s. (default: never)",
        transform: duration(from:))
    public var idleTimeout: Duration?

    public init() {}

    public func validate() throws {
        if let idleTimeout, idleTimeout <= .zero { throw ValidationError("The idle timeout must be longer than 0.") }
    }
}
