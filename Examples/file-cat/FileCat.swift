import ArgumentParser
import AsyncUV
import ExampleSupport

@main struct FileCat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file-cat", abstract: "Prints files one after the other.")

    @Argument(help: "The files.") var files: [String]

    func run() throws {
        let hadProblem = try EventLoop.run { [files] loop in
            var hadProblem = false
            for path in files {
                do {
                    try await File.withFile(FilePath(validating: path)) { file in
                        for try await chunk in file.chunks(ofCount: 65_536) {
                            // Whoever reads our output may be slow.
                            try await loop.offload { try printBytes(chunk) }
                        }
                    }
                } catch {
                    printProblem("file-cat: \(error)")
                    hadProblem = true
                }
            }
            return hadProblem
        }
        if hadProblem { throw ExitCode.failure }
    }
}
