import Foundation

/// What can only be seen from outside of a process: how it ends. Tests run it, and `Scripts/leave-main` in a release build.
@main struct ProcessProbe {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch (arguments.first, arguments.count) {
        case ("leave", 3):
            guard let kind = Leaving(rawValue: arguments[1]), let microseconds = UInt32(arguments[2]) else { break }
            return try await kind.leave(after: microseconds)
        case ("storm", 3):
            let kinds = arguments[1] == "all" ? Leaving.allCases : Leaving(rawValue: arguments[1]).map { [$0] } ?? []
            guard let rounds = Int(arguments[2]), !kinds.isEmpty else { break }
            exit(try kinds.map { try storm($0, rounds) }.allSatisfy { $0 } ? EXIT_SUCCESS : EXIT_FAILURE)
        case ("terminal", 2): return try RawTerminal.run(arguments[1])
        case ("activate", _): try Activation.begin(Array(arguments.dropFirst()))
        case ("activated", _): return try Activation.serve()
        default: break
        }
        print(
            "usage: process-probe leave KIND MICROSECONDS | storm KIND|all ROUNDS | terminal exit|trap|wait | activate NAME…"
        )
        exit(64)
    }

    /// Lets children leave `main` at random moments.
    ///
    /// - Returns: Whether all of them had the right exit status, most of them within a second.
    static func storm(_ kind: Leaving, _ rounds: Int) throws -> Bool {
        let program = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        // Threads that are stopped wherever they are leak what they hold: the address sanitizer must not look for leaks.
        var environment = ProcessInfo.processInfo.environment
        environment["ASAN_OPTIONS", default: ""] += ":detect_leaks=0"
        var wrong: [String: Int] = [:]
        var times: [Duration] = []
        for _ in 0..<rounds {
            let child = Process()
            child.executableURL = program
            child.environment = environment
            child.arguments = ["leave", kind.rawValue, "\(UInt32.random(in: 0...3_000))"]
            let start = ContinuousClock.now
            try child.run()
            child.waitUntilExit()
            times.append(.now - start)
            let isRight = child.terminationReason == .exit && child.terminationStatus == kind.status
            if isRight { continue }
            let reason = child.terminationReason == .exit ? "status" : "signal"
            wrong["\(reason) \(child.terminationStatus)", default: 0] += 1
        }
        let median = times.sorted()[rounds / 2]
        print("\(kind): \(rounds - wrong.values.reduce(0, +)) of \(rounds) ended well,", median, "each", wrong)
        return wrong.isEmpty && median < .seconds(1)
    }
}
