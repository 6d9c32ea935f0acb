import ArgumentParser
import AsyncUV
import ExampleSupport

@main struct FileWC: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file-wc", abstract: "Counts the lines, words and bytes of files, 16 at the same time.")

    @Argument(help: "The files.") var files: [String]

    /// How many files are open at a time.
    private static let mostOpen = 16

    func run() throws {
        let results = try EventLoop.run { [files] _ in
            await withTaskGroup(of: (Int, Result<Counts, any Error>).self) { group in
                var results: [Int: Result<Counts, any Error>] = [:]
                for (index, path) in files.enumerated() {
                    if index >= Self.mostOpen, let (done, result) = await group.next() { results[done] = result }
                    group.addTask {
                        do { return (index, .success(try await Counts(ofFileAt: path))) } catch {
                            return (index, .failure(error))
                        }
                    }
                }
                return await group.reduce(into: results) { $0[$1.0] = $1.1 }
            }
        }
        var total = Counts()
        for (index, path) in files.enumerated() {
            switch results[index] {
            case .success(let counts):
                printLine("\(counts) \(path)")
                total += counts
            case .failure(let error): printProblem("file-wc: \(error)")
            case nil: break
            }
        }
        if files.count > 1 { printLine("\(total) total") }
        if results.values.contains(where: { (try? $0.get()) == nil }) { throw ExitCode.failure }
    }
}

/// What is in a file.
private struct Counts: CustomStringConvertible {
    private var lines = 0
    private var words = 0
    private var bytes = 0
    private var isInWord = false

    init() {}

    init(ofFileAt path: String) async throws {
        let file = try await File.open(FilePath(validating: path))
        for try await chunk in file.chunks(ofCount: 65_536) { add(chunk) }
        try await file.close()
    }

    private mutating func add(_ chunk: [UInt8]) {
        bytes += chunk.count
        for byte in chunk {
            let isSpace = byte == 0x20 || (0x09...0x0d).contains(byte)
            if byte == UInt8(ascii: "\n") { lines += 1 }
            if !isSpace, !isInWord { words += 1 }
            isInWord = !isSpace
        }
    }

    static func += (total: inout Counts, counts: Counts) {
        total.lines += counts.lines
        total.words += counts.words
        total.bytes += counts.bytes
    }

    var description: String {
        [lines, words, bytes].map { String($0).aligned(to: 8) }.joined()
    }
}
