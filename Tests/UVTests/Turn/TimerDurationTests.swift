import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TimerDurationTests {
    static let absurd: [Duration] = [
        .milliseconds(-1), .nanoseconds(-1), .seconds(-1), .seconds(Int64.min), .seconds(Int64.max),
        .milliseconds(Int64.max), Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999),
    ]

    @Test("T1: negative and absurd delays are errors that name them", arguments: absurd)
    func delay(_ delay: Duration) throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let error = #expect(throws: UVError.self) { try timer.start(after: delay) { _ in } }
            if delay == .milliseconds(Int64.max) { #expect(error?.subject?.contains("timer") == true) }
            #expect(error?.code == .invalidArgument)
            #expect(!timer.isActive)
            timer.close()
        }
    }

    @Test("T1: negative, zero and absurd intervals are errors", arguments: absurd + [.zero])
    func interval(_ interval: Duration) throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            expectError(.invalidArgument) {
                try timer.start(after: .zero, every: interval) { _ in }
            }
            expectError(.invalidArgument) { try timer.setInterval(interval) }
            #expect(!timer.isActive && timer.interval == nil)
            timer.close()
        }
    }

    @Test("T1: a refused start leaves the running timer as it was")
    func refusedStart() throws {
        var calls = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .milliseconds(1)) { timer in
                calls += 1
                timer.close()
            }
            #expect(throws: UVError.self) { try timer.start(after: .seconds(-1)) { _ in calls += 100 } }
        }
        #expect(calls == 1)
    }

    @Test("T1: a delay of a nanosecond counts as a millisecond")
    func nanosecond() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let started = Loop.hrtime
            try timer.start(after: .nanoseconds(1)) { timer in
                #expect(Loop.hrtime - started >= .nanoseconds(1))
                timer.close()
            }
            #expect(timer.timeLeft >= .milliseconds(1))
        }
    }

    @Test(
        "T1: the longest delays neither wrap around nor fire",
        arguments: [Duration.seconds(86_400 * 365 * 1_000_000), .milliseconds(Int64.max / 2)])
    func longest(_ delay: Duration) throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: delay, every: delay) { _ in Issue.record("fired") }
            #expect(timer.timeLeft >= delay && timer.interval == delay)
            let other = try TimerHandle(on: loop)
            try other.start(after: .milliseconds(1)) { other in
                #expect(timer.isActive)
                timer.close()
                other.close()
            }
        }
    }
}
