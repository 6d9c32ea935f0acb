import Measurement

/// Where a server and its client run, and one run of the two.
package struct Bench {
    private let serverCore: Int
    private let loadCore: Int

    package init(serverCore: Int, loadCore: Int) {
        (self.serverCore, self.loadCore) = (serverCore, loadCore)
    }

    /// A fresh server for each run: the layout of a process's memory moves its speed by some per cent, so a median over
    /// processes says more than one over windows of the same process.
    package func run<Result: Decodable>(
        _ line: String, under client: String, _ arguments: [String], as type: Result.Type
    ) throws -> Result {
        let words = line.split(separator: " ").map(String.init)
        let server = words[0]
        let serving = try PinnedProcess(server, Array(words.dropFirst()), core: serverCore)
        let address = try address(in: serving.readLine(), of: server)
        let asking = try PinnedProcess(
            client, address + ["--json", "--pid", "\(serving.id)"] + arguments, core: loadCore)
        let result = try asking.readAll()
        try asking.finish()
        serving.terminate()
        try serving.finish()
        return try JSONLine.decode(type, from: result)
    }

    private func address(in line: String, of server: String) throws -> [String] {
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "listening", let colon = words[2].lastIndex(of: ":") else {
            throw Failure("\(server) printed \"\(line)\"")
        }
        return [String(words[2][..<colon]), String(words[2][colon...].dropFirst())]
    }
}
