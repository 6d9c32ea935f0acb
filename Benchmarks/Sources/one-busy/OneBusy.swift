import ArgumentParser
import CLoad
import Measurement

/// Has one busy connection and more and more idle ones, and looks at what a message costs the server.
@main struct OneBusy: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures an echo server's CPU time for one event beside many idle connections.")

    @Argument(help: "The server's IPv4 address.") var host: String
    @Argument(help: "The server's port.") var port: UInt16
    @Option(help: "Numbers of idle connections, rising, with commas between them.") var watched = "10,100,1000"
    @Option(help: "Seconds of messages at each number.") var seconds = 0.15
    @Option(help: "The server's process.") var pid: Int32
    @Flag(help: "One line of JSON instead of text.") var json = false

    /// Fits into the backlog, which is a queue: when the last of a group is served, those before it were accepted too.
    private static let group = 500
    /// So many connections come from one address of 127/8: where most ephemeral ports are taken, the kernel searches.
    private static let perAddress = 5_000
    private static let messageSize = 64

    func run() throws {
        // First: the lowest descriptor, like everything that has been there for long.
        let busy = try connect(number: 0)
        try exchange(on: busy)
        var open = 0
        let results = try watched.split(separator: ",").compactMap { Int($0) }.map { goal in
            while open < goal {
                let descriptor = try connect(number: open)
                open += 1
                if open % Self.group == 0 || open == goal { try exchange(on: descriptor) }
            }
            // What the accepting has left in the caches goes.
            _ = try measure(on: busy, for: seconds / 4)
            let (events, cpu) = try measure(on: busy, for: seconds)
            return WatchResult(watched: open, events: events, serverCPUSeconds: cpu)
        }
        if json { return print(try JSONLine.encode(results)) }
        for result in results { print("\(result.watched) watched: \(result.cpuMicrosecondsPerEvent) µs an event") }
    }

    /// Sends messages one after the other. The server sleeps between them, as it does when little happens.
    private func measure(on busy: CInt, for seconds: Double) throws -> (events: Int, cpuSeconds: Double) {
        let clock = ContinuousClock()
        let start = load_cpu_seconds(pid)
        let end = clock.now + .seconds(seconds)
        var events = 0
        repeat {
            try exchange(on: busy)
            events += 1
        } while clock.now < end
        let cpuSeconds = load_cpu_seconds(pid) - start
        guard start >= 0, cpuSeconds > 0 else { throw BusyFailure(description: "cannot read the server's CPU time") }
        return (events, cpuSeconds)
    }

    private func connect(number: Int) throws -> CInt {
        let source = host.hasPrefix("127.") ? 0x7f00_0001 + UInt32(number / Self.perAddress) : 0
        let descriptor = load_connect_from(source, host, port)
        guard descriptor >= 0 else { throw BusyFailure(description: "cannot connect") }
        return descriptor
    }

    private func exchange(on descriptor: CInt) throws {
        guard load_exchange(descriptor, Self.messageSize) == 0 else {
            throw BusyFailure(description: "an echo went wrong")
        }
    }
}

struct BusyFailure: Error, CustomStringConvertible {
    let description: String
}
