public import AsyncUV

/// A crowd of tasks that sleep, talk to each other, use files and other threads, as a seed says: the result depends
/// on the seed only, not on who drives the loop and in which order things end.
public struct Chaos: Sendable {
    private let seed: UInt64

    public init(seed: UInt64) { self.seed = seed }

    /// Runs on a loop, which goes on afterwards, and returns a line for each task.
    public func run(on loop: EventLoop) async throws -> [String] {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let serving = loop.spawn {
            try await listener.serve { connection in
                for try await chunk in connection { try await connection.write(chunk) }
            }
        }
        let folder = try await FileSystem.makeTemporaryDirectory(prefix: "chaos-", on: loop)
        let seed = seed
        let lines = try await loop.spawn {
            try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<16 {
                    group.addTask {
                        var worker = Worker(
                            seed &+ UInt64(number), loop, listener.localAddress, folder.appending("\(number)"))
                        return (number, try await worker.run())
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }.sorted { $0.key < $1.key }.map(\.value)
            }
        }.value
        await listener.close()
        try await serving.value
        try await FileSystem.remove(folder, on: loop)
        return lines
    }
}

/// One of the crowd.
private struct Worker {
    private var numbers: SeededGenerator
    private let loop: EventLoop
    private let server: SocketAddress
    private let path: FilePath
    private var digest = Digest()
    private var steps: [String: Int] = [:]

    init(_ seed: UInt64, _ loop: EventLoop, _ server: SocketAddress, _ path: FilePath) {
        numbers = SeededGenerator(seed: seed)
        self.loop = loop
        self.server = server
        self.path = path
    }

    mutating func run() async throws -> String {
        for _ in 0..<12 {
            let kind = try await step(Int.random(in: 0..<8, using: &numbers))
            let name = loop.isCurrent ? kind : "\(kind) left the loop"
            steps[name, default: 0] += 1
            digest.add(name)
        }
        let text = steps.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return "\(text): \(digest.value)"
    }

    private mutating func step(_ kind: Int) async throws -> String {
        let amount = Int.random(in: 1...20_000, using: &numbers)
        switch kind {
        case 0:
            let start = LoopClock.Instant.now
            let time = Duration.microseconds(amount / 4)
            try await loop.sleep(for: time, tolerance: amount % 2 == 0 ? .zero : nil)
            return start.duration(to: .now) < time ? "early" : "sleep"
        case 1:
            return try await echo(numbers.bytes(amount))
        case 2:
            try await FileSystem.writeFile(path, numbers.bytes(amount), durably: false)
            digest.add(try await FileSystem.readFile(path))
            try await FileSystem.remove(path)
            return "file"
        case 3:
            let sum = await withTaskGroup(of: Int.self) { group in
                for child in 0..<amount % 50 { group.addTask { child * amount } }
                return await group.reduce(0, +)
            }
            digest.add("\(sum)")
            return "children"
        case 4:
            for _ in 0..<amount % 100 { await Task.yield() }
            return "yield"
        case 5:
            digest.add("\(try await loop.offload { amount * 3 })")
            return "offload"
        case 6:
            do {
                try await withTimeout(.milliseconds(1 + amount % 5)) { [loop] in
                    try await loop.sleep(for: .seconds(100))
                }
            } catch { return (error as? UVError)?.code == .timedOut ? "timeout" : "\(error)" }
            return "no timeout"
        default:
            // From another thread and back.
            let loop = loop
            let value = try await Task.detached {
                try await loop.sleep(for: .milliseconds(1))
                return try await loop.withLoop { $0.isAlive ? amount : 0 }
            }.value
            digest.add("\(value)")
            return "elsewhere"
        }
    }

    private mutating func echo(_ bytes: [UInt8]) async throws -> String {
        let connection = try await TCPConnection.connect(to: server)
        async let writing: Void = connection.write(bytes)
        var back: [UInt8] = []
        while back.count < bytes.count, let chunk = try await connection.read() { back += chunk }
        try await writing
        await connection.close()
        digest.add(back)
        return back == bytes ? "echo" : "wrong echo"
    }
}
