import ArgumentParser
import AsyncUV
import ExampleSupport

@main struct PortScan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "port-scan",
        abstract: "Tells which TCP ports of a machine of yours accept connections.",
        discussion: """
            Only addresses of this machine are taken (127.0.0.0/8 and ::1): scanning machines of others is not what this is for.

            Each open port is a line of output; the last line says how many were tried. With --jobs as large as the range, \
            every port is tried at the same time.

            Try it: port-scan 1-65535
            """)

    @Argument(help: "The ports: 80, 8000-8999, or several of these with commas between.", transform: ports(from:))
    var ports: [UInt16]

    @Option(help: "The numeric address, IPv4 or IPv6.")
    var host = "127.0.0.1"

    @Option(help: "How many connections to try at a time.")
    var jobs = 500

    @Option(help: "How long to wait for an answer.", transform: duration(from:))
    var timeout: Duration = .seconds(1)

    func validate() throws {
        let address = try SocketAddress(host: host, port: 0)
        guard address.host.hasPrefix("127.") || address.host == "::1" else {
            throw ValidationError("\(host) is not a loopback address.")
        }
        if jobs < 1 { throw ValidationError("At least 1 connection at a time.") }
    }

    func run() throws {
        let open = try EventLoop.run { _ in try await openPorts() }
        for port in open { printLine("\(port)") }
        printLine("\(count(ports.count, "port")) tried, \(open.count.grouped) open")
    }

    /// Each of the tasks takes the next port when it has done with one, so no list of jobs grows.
    private func openPorts() async throws -> [UInt16] {
        let all = ports
        let next = Counter()
        return try await withThrowingTaskGroup(of: [UInt16].self) { group in
            for _ in 0..<min(jobs, all.count) {
                group.addTask {
                    var open: [UInt16] = []
                    while let index = next.take(upTo: all.count) {
                        if try await accepts(all[index]) { open.append(all[index]) }
                    }
                    return open
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
    }

    private func accepts(_ port: UInt16) async throws -> Bool {
        let address = try SocketAddress(host: host, port: port)
        do {
            let connection = try await TCPConnection.connect(to: address, timeout: timeout)
            await connection.close()
            return true
        } catch UVError.Code.connectionRefused { return false } catch UVError.Code.timedOut { return false }
    }
}

private func ports(from argument: String) throws -> [UInt16] {
    try argument.split(separator: ",", omittingEmptySubsequences: false).flatMap { part -> ClosedRange<UInt16> in
        let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { UInt16($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 1, first <= last else {
            throw ValidationError("'\(part)' is no port from 1 to 65535 and no range of them.")
        }
        return first...last
    }
}
