import TestSupport
import Testing
import UV

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension DiagnosticsTests {
    /// In the other suite, which is serialized, because they set the one handler of the process as well.
    @Suite(.disabled(if: isSanitized, "sanitizers hold signals back")) struct StallTests {
        @Test func aStalledCallbacksBacktraceNamesTheFunction() throws {
            let reports = DiagnosticReports()
            try withLoop { loop in
                try loop.reportStalls(longerThan: .milliseconds(50))
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .zero) { timer in
                    theFunctionThatSleeps(until: reports)
                    timer.close()
                }
                try loop.run()
            }
            // At once, so that a program that ends soon hears of it as well; the names of functions take longer to find.
            let first = try #require(reports.all.first)
            #expect(first.contains("a callback keeps its loop waiting, for ") && first.contains("(limit 50 ms)"))
            let place = try #require(reports.all.first { $0.contains(" the callback was at:") })
            #expect(place.contains("theFunctionThatSleeps(until:) at StallTests.swift:"), "\(place)")
        }

        @Test func alsoOneThatComputesAndItIsToldAgainAndAtTheEnd() throws {
            let reports = DiagnosticReports()
            try withLoop { loop in
                try loop.reportStalls(longerThan: .milliseconds(20))
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .zero) { timer in
                    theFunctionThatSpins(until: reports, count: 2)
                    timer.close()
                }
                // The loop waits here, while the watchdog sees that the callback is over.
                let end = try TimerHandle(on: loop)
                try end.start(after: .milliseconds(1), every: .milliseconds(1)) { end in
                    if reports.all.contains(where: { $0.contains("has ended after about") }) { end.close() }
                }
                try loop.run()
            }
            let stalls = reports.all.filter { $0.contains("theFunctionThatSpins(until:count:) at StallTests.swift:") }
            #expect(stalls.count >= 2)
        }

        @Test func aLoopThatWaitsOrHasManyShortCallbacksIsNotStalled() throws {
            let reports = DiagnosticReports()
            try withLoop { loop in
                try loop.reportStalls(longerThan: .seconds(1))
                var count = 0
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .milliseconds(1_300)) { timer in
                    let idle = try? IdleHandle(on: loop)
                    try? idle?.start { idle in
                        count += 1
                        usleep(1_000)
                        if count == 1_300 { idle.close() }
                    }
                    timer.close()
                }
                try loop.run()
                #expect(count == 1_300)
            }
            #expect(reports.all.filter { $0.contains("StallTests") }.isEmpty, "\(reports.all)")
        }

        @Test func limitsAreChecked() throws {
            try withLoop { loop in
                expectError(.invalidArgument) { try loop.reportStalls(longerThan: .microseconds(10)) }
                try loop.reportStalls(longerThan: .seconds(1))
                try loop.reportStalls(longerThan: nil)
                #expect(loop.explainAlive().entries.isEmpty)
            }
        }
    }
}

/// It sleeps in short pieces, because the watchdog's signal ends them, and until there is a report, because a busy machine is late.
@inline(never)
private func theFunctionThatSleeps(until reports: DiagnosticReports) {
    while !reports.all.contains(where: { $0.contains("theFunctionThatSleeps") }) { usleep(300_000) }
}

@inline(never)
private func theFunctionThatSpins(until reports: DiagnosticReports, count: Int) {
    // A busy machine may be too late for one of the answers.
    while reports.all.count(where: { $0.contains("theFunctionThatSpins") }) < count {}
}
