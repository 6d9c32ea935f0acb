public import UV

/// The same for a loop of the callback layer: timers, an echo, files, work on threads.
public final class CallbackChaos {
    private var numbers: SeededGenerator
    private let loop: Loop
    private let folder: FilePath
    private var lines: [String: String] = [:]
    private var left = 0
    private var onDone: (([String]) -> Void)?

    public init(seed: UInt64, on loop: Loop, in folder: FilePath) {
        numbers = SeededGenerator(seed: seed)
        self.loop = loop
        self.folder = folder
    }

    /// Starts all; the closure is called once with a line for each thing that was done, and then nothing is open any
    /// more.
    public func start(onDone: @escaping ([String]) -> Void) throws(UVError) {
        self.onDone = onDone
        for number in 0..<8 { try startTimer("timer \(number)") }
        for number in 0..<4 { try startEcho("echo \(number)") }
        for number in 0..<4 { try startFile("file \(number)") }
        for number in 0..<4 { try startWork("work \(number)") }
    }

    private func finish(_ name: String, _ line: String) {
        lines[name] = line
        left -= 1
        guard left == 0 else { return }
        let call = onDone
        onDone = nil
        call?(lines.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })
    }

    private func startTimer(_ name: String) throws(UVError) {
        left += 1
        let times = Int.random(in: 1...20, using: &numbers)
        let delay = Duration.milliseconds(Int.random(in: 1...5, using: &numbers))
        let start = Loop.hrtime
        var calls = 0
        try TimerHandle(on: loop).start(after: delay, every: .milliseconds(1)) { timer in
            calls += 1
            guard calls == times else { return }
            timer.close { _ in
                let isEarly = Loop.hrtime - start < delay + .milliseconds(times - 1)
                self.finish(name, "\(times) calls\(isEarly ? ", early" : "")")
            }
        }
    }

    private func startEcho(_ name: String) throws(UVError) {
        left += 1
        let (near, far) = try TCPHandle.pair(on: loop)
        let chunks = (0..<Int.random(in: 1...20, using: &numbers)).map { _ in
            numbers.bytes(Int.random(in: 1...9_000, using: &numbers))
        }
        let count = chunks.reduce(0) { $0 + $1.count }
        var digest = Digest()
        var received = 0
        try far.startReading(
            onBytes: { far, bytes in _ = try? far.write(bytes) }, onEnd: { far, _ in far.closeAfterWrites() })
        try near.startReading(
            onBytes: { near, bytes in
                // Every 97th byte of the whole.
                for index in stride(from: (97 - received % 97) % 97, to: bytes.count, by: 97) {
                    digest.add(bytes[index])
                }
                received += bytes.count
                if received == count { _ = try? near.finishWriting { _, _ in } }
            },
            onEnd: { near, _ in near.close { _ in self.finish(name, "\(received) bytes, \(digest.value)") } })
        for chunk in chunks { _ = try near.write(chunk) }
    }

    private func startFile(_ name: String) throws(UVError) {
        left += 1
        let path = folder.appending(name)
        let bytes = numbers.bytes(Int.random(in: 1...50_000, using: &numbers))
        try FileRequest.start(.writeFile(path, bytes, durably: false), on: loop) { _, written in
            do throws(UVError) {
                try written.get()
                try FileRequest.start(.readFile(path), on: self.loop) { _, read in
                    var digest = Digest()
                    digest.add((try? read.get()) ?? [])
                    self.finish(name, "\(bytes.count) bytes, \(digest.value)")
                }
            } catch { self.finish(name, "\(error)") }
        }
    }

    private func startWork(_ name: String) throws(UVError) {
        left += 2
        let number = Int.random(in: 0...1_000, using: &numbers)
        try WorkRequest.run(on: loop, { number * 2 }) { _, result in self.finish(name, "\((try? result.get()) ?? -1)") }
        let wakeup = try WakeupHandle(on: loop) { wakeup in
            wakeup.close { _ in self.finish("\(name), wake-up", "came") }
        }
        let waker = wakeup.waker
        try WorkRequest.run(on: loop, { waker.wake() }) { _, _ in }
    }
}
