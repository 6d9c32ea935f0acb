#if Observability
public import AsyncUV
public import Logging

extension Diagnostics {
    /// Sends what the library has to say to a logger, instead of the handler before: see `setHandler(_:)`.
    ///
    /// Warnings and errors have the levels of these names, and the source `swift-uv`. The logger is used on the threads of loops: a handler
    /// that blocks blocks them.
    public static func log(to logger: Logger) {
        setHandler { diagnostic in
            logger.log(level: diagnostic.level.logLevel, "\(diagnostic.message)", source: "swift-uv")
        }
    }
}

extension Diagnostic.Level {
    /// The level of swift-log.
    public var logLevel: Logger.Level {
        switch self {
        case .warning: .warning
        case .error: .error
        }
    }
}
#endif
