internal import CPlatform
internal import Synchronization
internal import UVPlatform

/// One thread that looks at all loops that are watched. It starts with the first one and ends after the last. It tells nothing but
/// what it knows at once: while it looked up the names of functions it would see nothing, and a program that ends soon would not
/// hear of it.
enum StallWatchdog {
    private struct State {
        var watches: [ObjectIdentifier: StallWatch] = [:]
        var isRunning = false
    }

    private static let state = Mutex(State())

    /// The limit in the variable `SWIFT_UV_STALL`, for each loop that is made: `100ms`, `2s`, `250` for milliseconds.
    static let limitOfEnvironment: Duration? = {
        guard let text = Environment.value(of: "SWIFT_UV_STALL"), !text.isEmpty else { return nil }
        let limit = Self.limit(text)
        if limit == nil {
            say("SWIFT_UV_STALL=\(text) is no limit: 100ms, 2s, or a number of milliseconds, at least one")
        }
        return limit
    }()

    static func limit(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits), number > 0, number < 1e9 else { return nil }
        let limit: Duration? =
            switch text.dropFirst(digits.count) {
            case "ms", "": .microseconds(Int64(number * 1_000))
            case "s": .microseconds(Int64(number * 1_000_000))
            default: nil
            }
        return limit.flatMap { $0 < .milliseconds(1) ? nil : $0 }
    }

    static func add(_ watch: StallWatch) {
        let starts = state.withLock { state in
            state.watches[ObjectIdentifier(watch)] = watch
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard starts else { return }
        let error = unsafe cplatform_start_thread({ _ in StallWatchdog.run() }, nil, 1 << 20, nil)
        if error != 0 { state.withLock { $0.isRunning = false } }
    }

    static func remove(_ watch: StallWatch) {
        state.withLock { _ = $0.watches.removeValue(forKey: ObjectIdentifier(watch)) }
    }

    private static func run() {
        while let watches = next() {
            for watch in watches {
                // A loop that ends takes its watch away, and its thread may end then: so under the lock that it needs for that.
                let report = state.withLock { state in
                    state.watches[ObjectIdentifier(watch)] == nil ? nil : watch.look()
                }
                if let report { tell(report) }
            }
            let interval = watches.map(\.interval).min() ?? .milliseconds(100)
            usleep(UInt32(clamping: max(1_000, min(interval, .milliseconds(250)).wholeMicroseconds)))
        }
    }

    private static func next() -> [StallWatch]? {
        state.withLock { state in
            if state.watches.isEmpty { state.isRunning = false }
            return state.watches.isEmpty ? nil : Array(state.watches.values)
        }
    }

    private static func tell(_ finding: StallWatch.Finding) {
        switch finding {
        case .stall(let time, let limit, let capture):
            say("a callback keeps its loop waiting, for \(time.inWords) so far (limit \(limit.inWords))")
            Teller.tell {
                capture.map { "after \(time.inWords) the callback was at:\n\($0)" }
                    ?? "the thread of the callback does not say where it is"
            }
        case .end(let time):
            Teller.tell { "the callback that kept a loop waiting has ended after about \(time.inWords)" }
        }
    }

    private static func say(_ report: String) { Diagnostics.sayAsAsked(.warning, report) }

    /// Says in their order what takes time to find words for, on a thread that lives while there is something to say.
    private enum Teller {
        private struct State {
            var sentences: [@Sendable () -> String] = []
            var isRunning = false
        }

        private static let state = Mutex(State())

        static func tell(_ sentence: @escaping @Sendable () -> String) {
            let starts = state.withLock { state in
                state.sentences.append(sentence)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            guard starts else { return }
            let error = unsafe cplatform_start_thread({ _ in Teller.run() }, nil, 1 << 20, nil)
            if error != 0 { state.withLock { $0.isRunning = false } }
        }

        private static func run() {
            while let sentence = next() { say(sentence()) }
        }

        private static func next() -> (@Sendable () -> String)? {
            state.withLock { state in
                if state.sentences.isEmpty { state.isRunning = false }
                return state.sentences.isEmpty ? nil : state.sentences.removeFirst()
            }
        }
    }
}

extension Duration {
    fileprivate var wholeMicroseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}

extension Diagnostics {
    /// Says what the program has asked for: to standard error, when there is no handler.
    package static func sayAsAsked(_ level: Diagnostic.Level, _ message: String) {
        if report(level, message) { return }
        let text = Array("swift-uv: \(message)\n".utf8)
        unsafe text.withUnsafeBytes { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
    }
}

extension Loop {
    /// Reports each callback of this loop that takes longer than the limit, while it runs: with the backtrace of the loop's thread,
    /// so that the function that blocks is named. Then again after twice the time, and so on, and how long it took. The reports go
    /// to ``Diagnostics/setHandler(_:)``, on a thread of their own, or to standard error if there is no handler.
    ///
    /// One thread watches all loops of the process. A callback costs one store more. The thread of a loop that is late is asked by
    /// a signal (one of the real-time signals) where it is; `sleep` and relatives return early then.
    ///
    /// The environment's `SWIFT_UV_STALL=100ms` does the same for every loop that is not adopted.
    ///
    /// - Parameter limit: `nil` ends the watch. A callback is reported up to a quarter of the limit later.
    /// - Throws: ``UVError`` with `.invalidArgument` for a limit that is not at least a millisecond, `.notSupported` on an adopted
    ///   loop, of which nobody knows whether its owner is running it.
    public func reportStalls(longerThan limit: Duration? = .milliseconds(100)) throws(UVError) {
        checkThread("Loop")
        if let limit, limit < .milliseconds(1) {
            throw UVError(.invalidArgument, in: "reportStalls", of: "a limit of \(limit)")
        }
        if !isUsable { throw UVError(.badFileDescriptor, in: "reportStalls", of: "a closed loop") }
        if isAdopted { throw UVError(.notSupported, in: "reportStalls", of: "an adopted loop, which its owner runs") }
        watchForStalls(longerThan: limit)
    }
}
