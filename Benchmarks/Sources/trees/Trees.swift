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

    func validate() throws {
        guard rounds > 0, files > 0, most >= 0 else { throw ValidationError("There is nothing to measure.") }
    }

    func run() throws {
        let folder = directory + "/swift-uv-trees-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try makeTree(folder + "/tree")
        var rows: [(cp: Double, copy: Double, rm: Double, remove: Double)] = []
        for round in 0...rounds {
            // The first round warms up; then each in turn is first.
            let (ours, theirs) = (folder + "/ours", folder + "/theirs")
            let copies = try inTurn(
                round, { try run("cp", "-r", folder + "/tree", theirs) }, { try copy(folder + "/tree", to: ours) })
            let removals = try inTurn(round, { try run("rm", "-rf", theirs) }, { try remove(ours) })
            if round > 0 { rows.append((copies.0, copies.1, removals.0, removals.1)) }
        }
        var table = Table(["\(files) files", "ms", "min–max", "times", "limit"])
        add("cp -r", rows.map(\.cp), nil, to: &table)
        add("TreeRequest.copy", rows.map(\.copy), rows.map { $0.copy / $0.cp }, to: &table)
        add("rm -rf", rows.map(\.rm), nil, to: &table)
        add("TreeRequest.remove", rows.map(\.remove), rows.map { $0.remove / $0.rm }, to: &table)
        print(table.render(markdown: markdown))
    }

    private func add(_ name: String, _ times: [Double], _ ratios: [Double]?, to table: inout Table) {
        let spread = "\(decimal(times.min()!, 0))–\(decimal(times.max()!, 0))"
        let ratio = ratios.map { [decimal(median($0), 2), "≤ 1.30"] } ?? ["", ""]
        table.add([name, decimal(median(times), 1), spread] + ratio)
    }

    private func makeTree(_ root: String) throws {
        for file in 0..<files {
            let folder = root + "/\(file / 1_000)/\(file / 100)"
            if file % 100 == 0 {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            try Data(repeating: 1, count: file * 7_919 % (most + 1)).write(to: URL(filePath: folder + "/\(file)"))
        }
    }

    // MARK: Contestants

    private func inTurn(
        _ round: Int, _ theirs: () throws -> Double, _ ours: () throws -> Double
    ) throws -> (Double, Double) {
        if round.isMultiple(of: 2) { return (try theirs(), try ours()) }
        let first = try ours()
        return (try theirs(), first)
    }

    private func milliseconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .milliseconds(1)
    }

    private func run(_ command: String...) throws -> Double {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        return try milliseconds {
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw ValidationError("\(command) failed") }
        }
    }

    private func copy(_ source: String, to destination: String) throws -> Double {
        try onLoop { try TreeRequest.copy(FilePath(source), to: FilePath(destination), on: $0, onDone: $1) }
    }

    private func remove(_ path: String) throws -> Double {
        try onLoop { try TreeRequest.remove(FilePath(path), on: $0, onDone: $1) }
    }

    private func onLoop(_ begin: (Loop, @escaping TreeRequest.Completion) throws -> TreeRequest) throws -> Double {
        var result: Result<TreeRequest.Progress, UVError>?
        let loop = try Loop()
        let time = try milliseconds {
            _ = try begin(loop) { result = $1 }
            try loop.run()
        }
        _ = try result?.get()
        try loop.close()
        return time
    }
}
