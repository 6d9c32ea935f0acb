import Synchronization
import UV

/// What the library says while it lives. The process has one handler: for a test with `soleDiagnostics`.
public final class DiagnosticReports: Sendable {
    private let texts = Mutex<[String]>([])

    public init() {
        Diagnostics.setHandler { [weak self] report in self?.texts.withLock { $0.append(report.message) } }
    }

    deinit { Diagnostics.setHandler(nil) }

    public var all: [String] { texts.withLock { $0 } }
}
