import ArgumentParser
import Measurement

/// A closed loop: each connection has one burst under way, and sends the next when all of it has come back.
@main struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Loads an echo server and measures it.")

    @Argument(help: "The server's IPv4 address, or the path of its local socket.") var host: String
    @Argument(help: "The server's port; a local socket has none.") var port: UInt16 = 0
    @Option(help: "Open connections.") var connections = 50
    @Option(help: "Bytes a message.") var size = 1024
    @Option(help: "Messages a burst, each sent by itself.") var pipeline = 1
    @Flag(help: "All messages of a burst are sent by one call.") var together = false
    @Flag(help: "A new connection for each message, one after the other.") var visits = false
    @Flag(help: "Each message is a datagram.") var udp = false
    @Option(help: "Messages a second that fall due whether or not the server keeps up; 0 waits for each echo.")
    var rate = 0.0
    @Option(help: "Length of the measured window.") var seconds = 3.0
    @Option(help: "Seconds of load before the window.") var warmup = 0.5
    @Option(help: "The server's process, to measure its CPU time.") var pid: Int32?
    @Flag(help: "One line of JSON instead of text.") var json = false

    func validate() throws {
        guard connections > 0, size > 0, pipeline > 0, seconds > 0, warmup >= 0 else {
            throw ValidationError("Connections, size, pipeline and seconds are above zero.")
        }
        guard rate >= 0, rate == 0 || !visits else { throw ValidationError("A rate is of messages, not of visits.") }
        guard !visits || (pipeline == 1 && size <= 65_536) else {
            throw ValidationError("A visit is one message of at most 64 KiB.")
        }
        guard !udp || (!together && !visits && size <= 65_507) else {
            throw ValidationError("A datagram is one message of at most 65,507 bytes.")
        }
    }

    func run() throws {
        let result = try visits ? VisitRun(self).measure() : LoadRun(self).measure()
        print(json ? try JSONLine.encode(result) : describe(result))
    }

    private func describe(_ result: LoadResult) -> String {
        let latency = result.latency
        var lines = [
            "\(Int(result.requestsPerSecond)) requests/s (\(result.requests) in \(result.seconds) s)",
            "latency µs: p50 \(latency.p50)  p90 \(latency.p90)  p99 \(latency.p99)  p99.9 \(latency.p999)"
                + "  max \(latency.max)",
        ]
        if result.serverCPUSeconds != nil {
            lines.append("server CPU: \(result.cpuMicrosecondsPerRequest) µs/request, \(result.serverBusy) of a core")
        }
        return lines.joined(separator: "\n")
    }
}
