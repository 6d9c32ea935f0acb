import Foundation

/// What can only be seen from outside of a process: how it ends. Tests run it, and `Scripts/leave-main` in a release build.
@main struct ProcessProbe {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch (arguments.first, arguments.count) {
        case ("leave", 4):
            guard let kind = Leaving(rawValue: arguments[1]), let way = Leaving.Way(rawValue: arguments[2]),
                let microseconds = UInt32(arguments[3])
            else { break }
            return try await kind.leave(way, after: microseconds)
        case ("storm", 3):
            let kinds = arguments[1] == "all" ? Leaving.allCases : Leaving(rawValue: arguments[1]).map { [$0] } ?? []
            guard let rounds = Int(arguments[2]), !kinds.isEmpty else { break }
            exit(try kinds.map { try storm($0, rounds) }.allSatisfy { $0 } ? EXIT_SUCCESS : EXIT_FAILURE)
        case ("stall", 1): return try Stalling.run()
        case ("terminal", 2): return try RawTerminal.run(arguments[1])
        case ("activate", _): try Activation.begin(Array(arguments.dropFirst()))
        case ("activated", _): return try Activation.serve()
        default: break
        }
        print(
            "usage: process-probe leave KIND WAY MICROSECONDS | storm KIND|all ROUNDS | terminal exit|trap|wait | activate NAME… | stall"
        )
        exit(64)
    }

    /// Lets children leave `main` at random moments, in random ways.
    ///
    /// - Returns: Whether all of them had the right exit status, most of them within a second, all within ten.
    static func storm(_ kind: Leaving, _ rounds: Int) throws -> Bool {
        let program = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        // Threads that are stopped wherever they are leak what they hold, and nobody has the time to join one that has just ended: the
        // sanitizers must not look for that.
        var environment = ProcessInfo.processInfo.environment
        environment["ASAN_OPTIONS", default: ""] += ":detect_leaks=0"
        environment["TSAN_OPTIONS", default: ""] += ":report_thread_leaks=0"
        // A number of its own for each child would not do: one that is killed leaves files, and numbers come again.
        let folder = FileManager.default.temporaryDirectory.appending(path: "swift-uv-leave-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        environment["SWIFT_UV_LEAVE_FOLDER"] = folder.path
        var wrong: [String: Int] = [:]
        var times: [Duration] = []
        for _ in 0..<rounds {
            let child = Process()
            child.executableURL = program
            child.environment = environment
            let way = Leaving.Way.allCases.randomElement() ?? .byReturn
            child.arguments = ["leave", kind.rawValue, way.rawValue, "\(UInt32.random(in: 0...3_000))"]
            let start = ContinuousClock.now
            try child.run()
            child.waitUntilExit()
            times.append(.now - start)
            let isRight = child.terminationReason == .exit && child.terminationStatus == kind.status(way)
            if isRight { continue }
            let reason = child.terminationReason == .exit ? "status" : "signal"
            wrong["\(reason) \(child.terminationStatus) \(way)", default: 0] += 1
        }
        times.sort()
        let (median, longest) = (times[rounds / 2], times[rounds - 1])
        let good = rounds - wrong.values.reduce(0, +)
        print("\(kind): \(good) of \(rounds) ended well, \(median) each, \(longest) at most", wrong)
        return wrong.isEmpty && median < .seconds(1) && longest < .seconds(10)
    }
}
