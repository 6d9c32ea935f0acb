import AsyncUV
import TestSupport
import Testing

extension FileTests {
    /// Errors of numbers that cannot be name the file.
    @Suite struct WrongNumbers {
        private struct Call: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let call: @Sendable (File) async throws -> Void

            init(_ expected: String, _ call: @escaping @Sendable (File) async throws -> Void) {
                testDescription = expected
                self.call = call
            }
        }

        /// "PATH" stands for the file's path.
        private static let calls = [
            Call("read of PATH, count -1") { _ = try await $0.read(upTo: -1, at: 0) },
            Call("read of PATH, offset -1") { _ = try await $0.read(upTo: 1, at: -1) },
            Call("read of PATH, offset -1") { _ = try await $0.read(upTo: 1, at: -1, timeout: .seconds(1_000)) },
            Call("read of PATH, offset -1") {
                var bytes: [UInt8] = [0]
                _ = try await $0.read(into: &bytes, at: -1)
            },
            Call("write of PATH, offset -1") { try await $0.write([1], at: -1) },
            Call("truncate of PATH, size -1") { try await $0.truncate(to: -1) },
            Call("read of PATH, pieces of 0 bytes") { for try await _ in $0.chunks(ofCount: 0) {} },
            Call("readFile of PATH, limit -1") { _ = try await FileSystem.readFile($0.path, limit: -1) },
        ]

        @Test(arguments: FastPath.allCases, calls) private func nameTheFile(_ fastPath: FastPath, _ call: Call) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put([1, 2, 3])
                try await File.withFile(path, .readWrite) { file in
                    do {
                        try await call.call(file)
                        Issue.record("no error")
                    } catch {
                        let expected = call.testDescription.replacing("PATH", with: path.string)
                        #expect("\(error)" == "invalid argument (EINVAL) in \(expected)")
                    }
                }
            }
        }

        @Test func aLineThatIsTooLongNamesTheFile() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try path.put(Array("abc\n".utf8))
                try await File.withFile(path) { file in
                    var texts: [String] = []
                    do { for try await _ in file.lines(limit: 2) {} } catch { texts.append("\(error)") }
                    do { for try await _ in file.byteLines(limit: 2) {} } catch { texts.append("\(error)") }
                    var reader = file.reader()
                    do { _ = try await reader.readLine(limit: 2) } catch { texts.append("\(error)") }
                    let names = ["lines", "lines", "readLine"]
                    #expect(
                        texts == names.map { "message too long (EMSGSIZE) in \($0) of \(path), more than 2 bytes" })
                }
            }
        }

        @Test func nowhereIsNoPlaceToWalk() throws {
            try inFolder { _, _ in
                var text = ""
                do { for try await _ in FileSystem.walk("") {} } catch { text = "\(error)" }
                #expect(text == "no such file or directory (ENOENT) in walk of an empty path")
            }
        }
    }
}
