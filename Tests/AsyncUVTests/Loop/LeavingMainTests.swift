import TestSupport
import Testing

/// A process may leave `main` whatever its loops are doing. In child processes.
@Suite(.inTurn) struct LeavingMainTests {
    @Test(
        "The exit status is right, no signal ends the process, and it takes less than a second",
        arguments: [
            "signals", "nextSignal", "watches", "handles", "callbackLoop", "servers", "sleepers", "files", "threads",
            "exitOnLoop", "exitWhileBusy", "everything", "watchers", "children", "terminal", "datagrams",
            "localSockets",
            "signalStorm", "adopted",
        ])
    func leave(_ kind: String) async throws {
        let (status, output) = try await runProbe("process-probe", ["storm", kind, isSanitized ? "5" : "42"])
        #expect(status == 0, "\(output)")
    }
}
