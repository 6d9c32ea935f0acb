import AsyncUV
import ExampleSupport

/// Accepts clients and passes each to a worker; keeps every connection until its worker is done with it.
actor Dispatcher: LoopActor {
    /// How long clients that are being served may hold up the end.
    private static let grace = Duration.seconds(1)
    private static let pause = Duration.milliseconds(50)

    private struct Client {
        let connection: TCPConnection
        var worker: Int32?
        /// Has a permit when nobody needs the connection any more.
        let isDone: AsyncSemaphore
    }

    let loop: EventLoop
    private var workers: [Int32: WorkerProcess] = [:]
    private var clients: [Int: Client] = [:]
    private var accepted = 0
    private var isEnding = false

    init(on loop: EventLoop) { self.loop = loop }

    func run(host: String, port: UInt16, workers count: Int) async throws {
        let listener = try await TCPListener.bind(host: host, port: port)
        let signals = try await Signals.watch(.interrupt, .terminate)
        for _ in 0..<count { try await addWorker() }
        loop.spawn(onError: { printProblem("\($0)") }) {
            try await listener.serve { try await self.serve($0) }
        }
        printLine("listening on \(listener.localAddress)")
        _ = try await signals.next()
        isEnding = true
        // Nobody new comes, and those whom workers serve may go on for a while. Then the channels close: a worker whose channel ends,
        // ends.
        await loop.shutdown(grace: Self.grace)
        printLine("passed \(ExampleSupport.count(accepted, "connection"))")
    }

    // MARK: Clients

    /// Passes a client on, and waits until a worker is done with it.
    private func serve(_ connection: TCPConnection) async throws {
        accepted += 1
        let number = accepted
        let client = Client(connection: connection, isDone: AsyncSemaphore(permits: 0, on: loop))
        clients[number] = client
        await pass(number)
        try await client.isDone.acquire()
    }

    /// Lets a client's connection be closed.
    private func drop(_ number: Int) { clients.removeValue(forKey: number)?.isDone.release() }

    /// Passes a client to the worker that has the fewest; drops it at the end.
    private func pass(_ number: Int) async {
        while !isEnding, let client = clients[number] {
            guard let worker = idlest else {
                try? await loop.sleep(for: Self.pause)
                continue
            }
            clients[number]?.worker = worker.processID
            do {
                let socket = try await client.connection.withHandle { try $0.fileDescriptor }
                try await worker.channel.send(Array("\(number)".utf8), descriptors: [socket])
                return
            } catch let error as UVError where [.brokenPipe, .connectionReset, .canceled].contains(error.code) {
                // The worker has died. If `watch` does not know it yet, it will pass on the clients that are the worker's then.
                if workers[worker.processID] != nil { return }
            } catch {
                printProblem("cannot pass a connection, trying again: \(error)")
                try? await loop.sleep(for: Self.pause)
            }
        }
        drop(number)
    }

    private var idlest: WorkerProcess? {
        var loads = workers.mapValues { _ in 0 }
        for client in clients.values { if let worker = client.worker { loads[worker]? += 1 } }
        return loads.min { ($0.value, $0.key) < ($1.value, $1.key) }.flatMap { workers[$0.key] }
    }

    // MARK: Workers

    private func addWorker() async throws {
        let worker = try await WorkerProcess(on: loop)
        workers[worker.processID] = worker
        printProblem("worker \(worker.processID) has started")
        loop.spawn { await self.watch(worker) }
    }

    /// Hears which clients a worker is done with, and of its end.
    private func watch(_ worker: WorkerProcess) async {
        while true {
            do {
                guard let message = try await worker.channel.receive() else { break }
                if let number = Int(String(decoding: message.bytes, as: UTF8.self)) { finish(number, worker) }
            } catch UVError.Code.connectionReset {
                // It had not taken all; what it sent before comes after this.
            } catch { break }
        }
        workers[worker.processID] = nil
        await worker.channel.close()
        let orphans = clients.filter { $0.value.worker == worker.processID }.keys.sorted()
        if isEnding { return orphans.forEach(drop) }
        printProblem("worker \(worker.processID) has ended; others go on with \(count(orphans.count, "connection"))")
        while !isEnding {
            do {
                try await addWorker()
                break
            } catch {
                printProblem("cannot start a worker, trying again: \(error)")
                try? await loop.sleep(for: .seconds(1))
            }
        }
        for number in orphans where clients[number]?.worker == worker.processID { await pass(number) }
    }

    private func finish(_ number: Int, _ worker: WorkerProcess) {
        if clients[number]?.worker == worker.processID { drop(number) }
    }
}
