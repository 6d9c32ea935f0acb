import AsyncUV
import ExampleSupport
import Readiness
import UVEmbedding

/// A program with an epoll loop of its own, as a game or a server has that is older than this package: it goes on as
/// it was, and gives our loop a turn when that has something to do.
@main struct EpollApp {
    static func main() throws {
        var poller = try EpollPoller()
        let driver = try EventLoopDriver(label: "guest")
        try poller.add(driver)

        // What the program did before: it waits for a descriptor, here its own end of a connection.
        let (clicks, mouse) = try Socket.pair()
        try poller.add(clicks.descriptor, .readable)

        // What is new: async code on the same thread. It clicks, too, as a mouse would.
        let loop = driver.eventLoop
        loop.spawn {
            do { try await transfer(mouse, on: loop) } catch { printLine("failed: \(error)") }
            await loop.shutdown()
        }

        var events: [ReadyEvent] = []
        var count = 0
        while !driver.hasEnded {
            if try poller.wait(driving: driver, into: &events) { driver.turn() }
            for event in events where event.descriptor == clicks.descriptor {
                var bytes = [UInt8](repeating: 0, count: 16)
                if case .bytes(let received) = try clicks.receive(into: &bytes) { count += received }
            }
        }
        try poller.remove(driver)
        printLine("\(ExampleSupport.count(count, "click")) in the epoll loop")
    }

    private static func transfer(_ mouse: Socket, on loop: EventLoop) async throws {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
        let client = try await TCPConnection.connect(to: listener.localAddress)
        guard let server = try await listener.accept() else { return }
        for number in 1...3 {
            try await client.write("message \(number)\n")
            printLine("\(try await server.readLine() ?? "nothing") on the guest")
            _ = try mouse.send([1])
            try await loop.sleep(for: .milliseconds(5))
        }
        for connection in [client, server] { await connection.close() }
        await listener.close()
    }
}
