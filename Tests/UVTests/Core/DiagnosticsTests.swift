import Synchronization
import TestSupport
import Testing
import UV

/// The handler is the whole process's, so each test knows its own messages by their text.
@Suite(.serialized, .soleDiagnostics) struct DiagnosticsTests {
    @Test func nobodyIsToldWithoutAHandler() {
        Diagnostics.setHandler(nil)
        var made = 0
        let taken = Diagnostics.report(.error, message(&made))
        #expect(!taken && made == 0)
    }

    private func message(_ count: inout Int) -> String {
        count += 1
        return "unheard"
    }

    @Test func theHandlerGetsLevelAndMessage() {
        let heard = Mutex<[Diagnostic]>([])
        Diagnostics.setHandler { diagnostic in heard.withLock { $0.append(diagnostic) } }
        defer { Diagnostics.setHandler(nil) }
        #expect(Diagnostics.report(.warning, "a test warns"))
        #expect(Diagnostics.report(.error, "a test fails"))
        let own = heard.withLock { $0.filter { $0.message.hasPrefix("a test ") } }
        #expect(own.map(\.level) == [.warning, .error])
        #expect(own.map(\.description) == ["warning: a test warns", "error: a test fails"])
    }

    @Test func aHandlerMayReportAndReplaceItself() {
        let heard = Mutex<[String]>([])
        Diagnostics.setHandler { first in
            guard first.message == "a test reports" else { return }
            Diagnostics.setHandler { second in heard.withLock { $0.append(second.message) } }
            Diagnostics.report(first.level, "again: \(first.message)")
        }
        defer { Diagnostics.setHandler(nil) }
        Diagnostics.report(.warning, "a test reports")
        #expect(heard.withLock { $0.contains("again: a test reports") })
    }

    @Test func threadsReportWhileHandlersChange() async {
        let heard = Count()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<1_000 { Diagnostics.report(.warning, "a test storms") } }
                group.addTask {
                    for _ in 0..<1_000 {
                        Diagnostics.setHandler { _ in heard.value.add(1, ordering: .relaxed) }
                        Diagnostics.setHandler(nil)
                    }
                }
            }
        }
        #expect(!Diagnostics.report(.warning, "a test is over") && heard.value.load(ordering: .relaxed) <= 4_000)
    }
}

private final class Count: Sendable {
    let value = Atomic(0)
}
