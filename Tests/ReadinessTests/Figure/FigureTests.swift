import TestSupport
import Testing

@testable import io_models

/// The facts of the figure: who does what in which phase of a read. Facts, not times.
@Suite(.serialized, .inTurn) struct FigureTests {
    /// One recording for all facts; the machine may be busy, so the messages come slowly.
    @Test func showsWhoWaitsAndWhoCopies() async {
        await #expect(processExitsWith: .success) {
            let figure = try await onThread { try Figure(FigureSetting(interval: 30_000_000)) }
            let recordings = Dictionary(uniqueKeysWithValues: figure.recordings.map { ($0.model.name, $0) })
            #expect(figure.recordings.count == 7 && recordings.count == 7)
            for recording in figure.recordings {
                #expect(recording.arrivals.count == 3, "\(recording.model.name)")
                #expect(recording.arrivals == recording.arrivals.sorted(), "\(recording.model.name)")
            }

            // Blocked in both phases: one system call a message, nothing else is done.
            let blocking = try #require(recordings["blocking"])
            #expect(blocking.untilArrival == .blocked && blocking.callerCopies)
            #expect(blocking.caller.calls.count == 3 && blocking.caller.workUnits == 0)
            #expect(blocking.caller.time(in: .free) == 0 && blocking.caller.time(in: .waiting) == 0)

            // Never asleep, but always asking: each unit of work follows a question in vain.
            let nonBlocking = try #require(recordings["non-blocking"])
            #expect(nonBlocking.untilArrival == .asking && nonBlocking.callerCopies)
            #expect(nonBlocking.caller.time(in: .blocked) == 0 && nonBlocking.caller.time(in: .waiting) == 0)
            #expect(nonBlocking.caller.workUnits > 0)
            #expect(nonBlocking.caller.calls.count == nonBlocking.caller.workUnits + 3)

            // Asleep in the multiplexer instead of the read; two system calls a message: more than blocking.
            for name in ["select", "poll", "epoll"] {
                let multiplexed = try #require(recordings[name])
                #expect(multiplexed.untilArrival == .waiting && multiplexed.callerCopies, "\(name)")
                #expect(multiplexed.caller.time(in: .blocked) == 0, "\(name)")
                #expect(multiplexed.caller.calls.count == 6 && multiplexed.caller.workUnits == 0, "\(name)")
            }

            // Free until the signal comes; then the caller copies, until it would block.
            let signalled = try #require(recordings["signal-driven"])
            #expect(signalled.untilArrival == .free && signalled.callerCopies)
            #expect(signalled.caller.time(in: .blocked) == 0 && signalled.caller.time(in: .waiting) == 0)
            #expect((4...6).contains(signalled.caller.calls.count) && signalled.caller.workUnits > 0)

            // Free in both phases: somebody else sleeps and copies.
            let asynchronous = try #require(recordings["asynchronous"])
            let helper = try #require(asynchronous.helper)
            #expect(asynchronous.untilArrival == .free && !asynchronous.callerCopies)
            #expect(asynchronous.caller.time(in: .blocked) == 0 && asynchronous.caller.workUnits > 0)
            #expect(helper.time(in: .blocked) > 0 && helper.time(in: .copying) > 0)
        }
    }

    @Test func isDrawnInTextAndAsSVG() async {
        await #expect(processExitsWith: .success) {
            let figure = try await onThread {
                try Figure(FigureSetting(messages: 2, messageSize: 1000, interval: 5_000_000))
            }
            let plain = TerminalFigure(figure, hasColour: false).lines
            #expect(plain.allSatisfy { $0.allSatisfy { $0.isASCII || $0 == "µ" } })
            #expect(TerminalFigure(figure, hasColour: true).lines.joined().contains("\u{1B}["))
            let svg = SVGFigure(figure).text
            #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
            for recording in figure.recordings {
                #expect(plain.contains { $0.hasPrefix(recording.model.name) })
                #expect(svg.contains(">\(recording.model.name)<"))
            }
        }
    }
}
