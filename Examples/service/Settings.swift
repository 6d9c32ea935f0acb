#if Observability && ServiceLifecycle
import ArgumentParser
import Configuration
import Logging

/// What the environment says.
struct Settings {
    let host: String
    let port: UInt16
    let grace: Duration
    let logLevel: Logger.Level

    init(from environment: ConfigReader) throws {
        let service = environment.scoped(to: "service")
        host = service.string(forKey: "host", default: "127.0.0.1")
        let port = service.int(forKey: "port", default: 0)
        guard let port = UInt16(exactly: port) else { throw ValidationError("SERVICE_PORT is a number up to 65535.") }
        self.port = port
        grace = .seconds(service.double(forKey: "grace", default: 10))
        let level = service.string(forKey: "log.level", default: "info")
        guard let logLevel = Logger.Level(rawValue: level) else {
            throw ValidationError(
                "SERVICE_LOG_LEVEL is one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        self.logLevel = logLevel
    }
}
#endif
