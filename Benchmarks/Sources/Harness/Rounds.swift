import Foundation

/// Measures all servers in turn, again and again, each round beginning with another one: what disturbs the machine for
/// a while disturbs them alike.
package struct Rounds<Result> {
    /// By server, one result a round.
    package private(set) var results: [String: [Result]] = [:]

    package init(_ count: Int, of servers: [String], title: String, _ measure: (String) throws -> Result) throws {
        for round in 0..<count {
            for place in servers.indices {
                let server = servers[(place + round) % servers.count]
                progress("\(title): round \(round + 1) of \(count), \(server)")
                results[server, default: []].append(try measure(server))
            }
        }
        progress("")
    }
}

/// One line of standard error that is overwritten, so that standard output holds the tables only.
private func progress(_ text: String) {
    guard isatty(STDERR_FILENO) != 0 else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
}
