import ArgumentParser
import AsyncUV
import ExampleSupport

@main struct Tail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Prints the last lines of files, and what is written to them from then on.",
        discussion: """
            With -F the path counts, not the file: it may be truncated, rotated, removed and made again, and need not exist yet.

            Try it: tail -n 5 -F /var/log/syslog /var/log/auth.log
            """)

    @Argument(help: "The files.") var files: [String]

    @Option(name: .shortAndLong, help: "How many lines.") var numberOfLines = 10

    @Flag(name: [.customShort("F"), .long], help: "Go on with what is written.") var follow = false

    func validate() throws {
        if numberOfLines < 0 { throw ValidationError("A number of lines is not negative.") }
        if files.isEmpty { throw ValidationError("Which files?") }
    }

    func run() throws {
        let hadProblem = try EventLoop.run { [files, numberOfLines, follow] loop in
            let output = Output(hasHeaders: files.count > 1, on: loop)
            var hadProblem = false
            var following: [Task<Void, any Error>] = []
            for name in files {
                do {
                    let path = try FilePath(validating: name)
                    let end = try await printEnd(of: path, numberOfLines, isOptional: follow, output)
                    guard follow else { continue }
                    let file = try await File.follow(path, from: .offset(end)) { notice in
                        printProblem("tail: \(name) \(notice.text)")
                    }
                    following.append(
                        loop.spawn { for try await bytes in file { try await output.print(bytes, of: path) } })
                } catch {
                    printProblem("tail: \(error)")
                    hadProblem = true
                }
            }
            for task in following { try await task.value }
            return hadProblem
        }
        if hadProblem { throw ExitCode.failure }
    }

    /// Prints the last lines of a file.
    ///
    /// - Returns: Where the file ends.
    private func printEnd(of path: FilePath, _ lines: Int, isOptional: Bool, _ output: Output) async throws -> Int64 {
        do {
            return try await File.withFile(path) { file in
                let size = try await file.size()
                var offset = try await start(ofLast: lines, of: file, size)
                if offset == size { try await output.print([], of: path) }
                while offset < size {
                    let bytes = try await file.read(upTo: Int(min(65_536, size - offset)), at: offset)
                    if bytes.isEmpty { break }
                    try await output.print(bytes, of: path)
                    offset += Int64(bytes.count)
                }
                return offset
            }
        } catch UVError.Code.noSuchFileOrDirectory where isOptional {
            printProblem("tail: waiting for \(path)")
            return 0
        }
    }

    /// Where the last lines of a file begin: looked for from its end on.
    private func start(ofLast lines: Int, of file: File, _ size: Int64) async throws -> Int64 {
        var (end, left) = (size, lines)
        if left == 0 { return size }
        while end > 0 {
            let begin = max(0, end - 65_536)
            let bytes = try await file.read(exactly: Int(end - begin), at: begin)
            for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
                // The end of the last line begins no other.
                if begin + Int64(index) == size - 1 { continue }
                left -= 1
                if left == 0 { return begin + Int64(index) + 1 }
            }
            end = begin
        }
        return 0
    }
}

extension FollowedFile.Notice {
    fileprivate var text: String {
        switch self {
        case .appeared: "has appeared"
        case .gone: "is gone; waiting for a new one"
        case .replaced: "has been replaced"
        case .truncated: "has been truncated"
        }
    }
}
