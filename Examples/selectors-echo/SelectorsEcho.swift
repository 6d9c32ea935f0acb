import ExampleSupport
import ArgumentParser
import Readiness
import ServerModels

/// What belongs to a descriptor: the function to call when it is ready.
struct Callback { let call: (inout DefaultSelector<Callback>) throws -> Void }

@main struct SelectorsEcho: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selectors-echo",
        abstract: "An echo server on a selector whose data are functions, as with Python's selectors.")

    @Option(help: "A numeric address, or localhost.") var host = "localhost"
    @Option(help: "The port; 0 takes any free one.") var port: UInt16 = 10_000

    func run() throws {
        let listener = try Socket.listening(on: Endpoint(host: host, port: port), backlog: 100, blocking: false)
        let stop = Stop()
        try Termination.onRequest { stop.request() }
        var selector = try DefaultSelector<Callback>()
        let waker = selector.waker
        _ = stop.onRequest { waker.wake() }
        try selector.register(listener.descriptor, .readable, data: Callback { try accept(listener, &$0) })
        printLine("listening on \(listener.localEndpoint!)")
        while !stop.isRequested {
            for (key, _) in try selector.select() {
                // Trouble with a connection ends that connection: nobody holds its socket any more.
                do { try key.data.call(&selector) } catch {
                    printLine("closing \(key.descriptor): \(error)")
                    if key.descriptor != listener.descriptor { try selector.unregister(key.descriptor) }
                }
            }
        }
    }
}

func accept(_ listener: Socket, _ selector: inout DefaultSelector<Callback>) throws {
    guard case .connection(let socket) = try listener.accept(blocking: false) else { return }
    printLine("accepted \(socket.descriptor) from \(socket.remoteEndpoint.map { "\($0)" } ?? "somebody who has left")")
    try selector.register(socket.descriptor, .readable, data: Callback { try read(socket, &$0) })
}

func read(_ socket: Socket, _ selector: inout DefaultSelector<Callback>) throws {
    var bytes = [UInt8](repeating: 0, count: 1000)
    switch try socket.receive(into: &bytes) {
    case .bytes(let count):
        printLine("echoing \(count) bytes to \(socket.descriptor)")
        try write(Array(bytes[0..<count]), socket, &selector)
    case .end:
        printLine("closing \(socket.descriptor)")
        try selector.unregister(socket.descriptor)
    case .wouldBlock: break  // an event is a hint
    }
}

/// The article hopes that sending will not block, and drops what the kernel does not take. Here the rest waits.
func write(_ bytes: [UInt8], _ socket: Socket, _ selector: inout DefaultSelector<Callback>) throws {
    var sent = 0
    if case .bytes(let count) = try socket.send(bytes) { sent = count }
    if sent == bytes.count {
        try selector.modify(socket.descriptor, .readable, data: Callback { try read(socket, &$0) })
    } else {
        let rest = Array(bytes[sent...])
        try selector.modify(socket.descriptor, .writable, data: Callback { try write(rest, socket, &$0) })
    }
}
