import ArgumentParser
import Foundation
import Measurement
import SystemPackage
import UV

/// What copying and removing a tree costs, next to `cp -r` and `rm -rf`.
@main struct Trees: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures TreeRequest.copy and TreeRequest.remove beside cp -r and rm -rf.")

    @Option(help: "Times that everything is measured, in turn; the medians are shown.") var rounds = 9
    @Option(help: "Small files in the tree, a hundred to a directory.") var files = 10_000
    @Option(help: "The most bytes in a file.") var most = 8_192
    @Option(help: "A directory on the disk to be measured.") var directory = FileManager.default.temporaryDirectory
        .path()
    @Flag(help: "A table in Markdown.") var markdown = false
    @Flag(help: "One line of JSON with every round's figure instead of a table.") var json = false

    func validate() throws {
        guard rounds > 0, files > 0, most >= 0 else { throw ValidationError("There is nothing to measure.") }
    }

    func run() throws {
        let folder = directory + "/swift-uv-trees-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try makeTree(folder + "/tree")
        var rows: [(cp: Cost, copy: Cost, rm: Cost, remove: Cost)] = []
        for round in 0...rounds {
            // The first round warms up; then each in turn is first.
            let (ours, theirs) = (folder + "/ours", folder + "/theirs")
            let copies = try inTurn(
                round, { try run("cp", "-r", folder + "/tree", theirs) }, { try copy(folder + "/tree", to: ours) })
            let removals = try inTurn(round, { try run("rm", "-rf", theirs) }, { try remove(ours) })
            if round > 0 { rows.append((copies.0, copies.1, removals.0, removals.1)) }
        }
        if json {
            let all = [
                ("cp -r", rows.map(\.cp)), ("TreeRequest.copy", rows.map(\.copy)), ("rm -rf", rows.map(\.rm)),
                ("TreeRequest.remove", rows.map(\.remove)),
            ]
            return print(try JSONLine.encode(all.map { Measured($0.0, "ms", $0.1.map(\.wall)) }))
        }
        var table = Table(["\(files) files", "ms", "min–max", "times", "limit", "CPU ms", "times"])
        add("cp -r", rows.map(\.cp), nil, to: &table)
        add("TreeRequest.copy", rows.map(\.copy), rows.map(\.cp), to: &table)
        add("rm -rf", rows.map(\.rm), nil, to: &table)
        add("TreeRequest.remove", rows.map(\.remove), rows.map(\.rm), to: &table)
        print(table.render(markdown: markdown))
    }

    private func add(_ name: String, _ costs: [Cost], _ others: [Cost]?, to table: inout Table) {
        let wall = costs.map(\.wall)
        let cells = [decimal(median(wall), 1), "\(decimal(wall.min()!, 0))–\(decimal(wall.max()!, 0))"]
        let cpu = decimal(median(costs.map(\.cpu)), 1)
        guard let others else { return table.add([name] + cells + ["", "", cpu, ""]) }
        // Ratios are taken round by round.
        let times = zip(costs, others).map { $0.wall / $1.wall }
        let cpuTimes = zip(costs, others).map { $0.cpu / $1.cpu }
        table.add([name] + cells + [decimal(median(times), 2), "≤ 1.30", cpu, decimal(median(cpuTimes), 2)])
    }

    private func makeTree(_ root: String) throws {
        for file in 0..<files {
            let folder = root + "/\(file / 1_000)/\(file / 100)"
            if file % 100 == 0 {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            let new = try FileDescriptor.open(
                folder + "/\(file)", .writeOnly, options: .create, permissions: [.ownerReadWrite, .groupRead])
            try new.closeAfter { _ = try new.writeAll([UInt8](repeating: 1, count: file * 7_919 % (most + 1))) }
        }
    }

    // MARK: Contestants

    private func inTurn(
        _ round: Int, _ theirs: () throws -> Cost, _ ours: () throws -> Cost
    ) throws -> (Cost, Cost) {
        if round.isMultiple(of: 2) { return (try theirs(), try ours()) }
        let first = try ours()
        return (try theirs(), first)
    }

    private func run(_ command: String...) throws -> Cost {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        return try Cost.measure(RUSAGE_CHILDREN) {
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw ValidationError("\(command) failed") }
        }
    }

    private func copy(_ source: String, to destination: String) throws -> Cost {
        try onLoop { try TreeRequest.copy(FilePath(source), to: FilePath(destination), on: $0, onDone: $1) }
    }

    private func remove(_ path: String) throws -> Cost {
        try onLoop { try TreeRequest.remove(FilePath(path), on: $0, onDone: $1) }
    }

    private func onLoop(_ begin: (Loop, @escaping TreeRequest.Completion) throws -> TreeRequest) throws -> Cost {
        var result: Result<TreeRequest.Progress, UVError>?
        let loop = try Loop()
        let cost = try Cost.measure(RUSAGE_SELF) {
            _ = try begin(loop) { result = $1 }
            try loop.run()
        }
        _ = try result?.get()
        try loop.close()
        return cost
    }
}

/// Milliseconds.
struct Cost {
    var wall: Double
    /// User and system.
    var cpu: Double

    static func measure(_ who: __rusage_who, _ body: () throws -> Void) throws -> Cost {
        let (start, startCPU) = (ContinuousClock.now, cpu(who))
        try body()
        return Cost(wall: (ContinuousClock.now - start) / .milliseconds(1), cpu: cpu(who) - startCPU)
    }

    private static func cpu(_ who: __rusage_who) -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(who.rawValue), &usage)
        return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)
    }

    private static func milliseconds(_ time: timeval) -> Double {
        Double(time.tv_sec) * 1_000 + Double(time.tv_usec) / 1_000
    }
}
