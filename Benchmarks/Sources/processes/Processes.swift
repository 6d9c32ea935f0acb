import ArgumentParser
import AsyncUV
import CProcesses
import Foundation
import Measurement
import UV

/// What starting children and waiting for their ends costs, next to C on libuv in the same process, Foundation and Python.
@main struct Processes: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures children that do nothing: start and end.")

    @Option(help: "Times that everything is measured, in turn; the medians are shown.") var rounds = 15
    @Option(help: "Children of one measurement.") var count = 200
    @Option(help: "The program that they run.") var program = "/bin/true"
    @Option(help: "The Python to be measured too, or nothing.") var python = "python3"
    @Flag(help: "A table in Markdown.") var markdown = false
    @Flag(help: "One line of JSON with every round's figure instead of a table.") var json = false

    func validate() throws {
        guard rounds > 0, count > 0 else { throw ValidationError("There is nothing to measure.") }
    }

    func run() throws {
        let contestants: [(name: String, run: () throws -> Void)] = [
            ("C libuv", { try cLibuv(cprocesses_run) }),
            ("UV", { try callbacks() }),
            ("AsyncUV", { try tasks() }),
            ("C libuv, one by one", { try cLibuv(cprocesses_run_in_turn) }),
            ("AsyncUV, one by one", { try tasksInTurn() }),
            ("Foundation, one by one", { try foundationInTurn() }),
            ("Foundation", { try foundation() }),
        ]
        var times = contestants.map { _ in [Double]() }
        var others: [String: [Double]] = [:]
        for round in 0...rounds {
            // The first round warms up; then each in turn is first.
            for offset in contestants.indices {
                let index = (offset + round) % contestants.count
                let start = ContinuousClock.now
                try contestants[index].run()
                if round > 0 { times[index].append((ContinuousClock.now - start) / .milliseconds(1)) }
            }
            if round > 0 {
                for (name, nanoseconds) in Peer.python(python, "processes.py", program, count) {
                    others[name, default: []].append(nanoseconds / 1e6)
                }
            }
        }
        if json {
            return print(
                try JSONLine.encode(
                    zip(contestants, times).map { Measured($0.name, "ms", $1) }
                        + others.sorted { $0.key < $1.key }.map { Measured($0.key, "ms", $0.value) }))
        }
        var table = Table(["\(count) × \(program)", "ms", "min–max", "times C libuv"])
        for (index, contestant) in contestants.enumerated() {
            add(contestant.name, times[index], times[contestant.name.hasSuffix("one by one") ? 3 : 0], to: &table)
        }
        for (name, measured) in others.sorted(by: { $0.key < $1.key }) {
            add(name, measured, times[name.hasSuffix("one by one") ? 3 : 0], to: &table)
        }
        print(table.render(markdown: markdown))
    }

    private func add(_ name: String, _ times: [Double], _ others: [Double], to table: inout Table) {
        // Ratios are taken round by round.
        let ratio = decimal(median(zip(times, others).map { $0 / $1 }), 2)
        table.add([name, decimal(median(times), 1), "\(decimal(times.min()!, 0))–\(decimal(times.max()!, 0))", ratio])
    }

    // MARK: Contestants

    private func cLibuv(_ run: (CInt, UnsafePointer<CChar>) -> CInt) throws {
        guard run(CInt(count), program) == count else { throw ExitCode.failure }
    }

    private func callbacks() throws {
        let loop = try Loop()
        var succeeded = 0
        for _ in 0..<count {
            _ = try ProcessHandle(on: loop, program, output: .null, error: .null) { handle, status in
                if status.isSuccess { succeeded += 1 }
                handle.close()
            }
        }
        try loop.run()
        try loop.close()
        guard succeeded == count else { throw ExitCode.failure }
    }

    private func tasks() throws {
        try EventLoop.run { [count, program] loop in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        try await ChildProcess.spawn(program, output: .null, error: .null).wait().isSuccess
                    }
                }
                for try await isSuccess in group where !isSuccess { throw ExitCode.failure }
            }
        }
    }

    private func tasksInTurn() throws {
        try EventLoop.run { [count, program] loop in
            for _ in 0..<count {
                let status = try await ChildProcess.spawn(program, output: .null, error: .null).wait()
                guard status.isSuccess else { throw ExitCode.failure }
            }
        }
    }

    private func foundation() throws {
        let processes = try (0..<count).map { _ in try start() }
        for process in processes {
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw ExitCode.failure }
        }
    }

    private func foundationInTurn() throws {
        for _ in 0..<count {
            let process = try start()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw ExitCode.failure }
        }
    }

    private func start() throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }
}
