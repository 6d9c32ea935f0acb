import AsyncUV
import ExampleSupport

struct TimeoutStep: Step {
    let title = "Timeouts and cancellation"
    let sentence =
        "A wait that takes too long ends, and so does each of ten thousand; what they waited for is as good as before."

    func run(on stage: Stage) throws {
        try EventLoop.run { loop in
            let silent = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let connection = try await TCPConnection.connect(to: silent.localAddress)
            let started = loop.clock.now
            do {
                _ = try await connection.read(timeout: .milliseconds(100))
                throw Surprise("a silent server has spoken")
            } catch let error as UVError where error.code == .timedOut {
                stage.line("a read from a silent server ended after \((loop.clock.now - started).text): \(error)")
            }
            // The connection is as good as before: nothing has been read.
            try await connection.write([1, 2, 3])
            guard try await silent.accept()?.read(exactly: 3) == [1, 2, 3] else {
                throw Surprise("a cancelled read broke the connection")
            }
            stage.line("the connection was used again after that")
            try await crowd(on: loop, stage)
        }
    }

    private func crowd(on loop: EventLoop, _ stage: Stage) async throws {
        let number = 10_000
        let sleepers = (0..<number).map { _ in loop.spawn { try await loop.sleep(for: .seconds(3_600)) } }
        try await loop.sleep(for: .milliseconds(50))
        let started = loop.clock.now
        for sleeper in sleepers { sleeper.cancel() }
        for sleeper in sleepers {
            guard case .failure(is CancellationError) = await sleeper.result else { throw Surprise("a task slept on") }
        }
        let took = loop.clock.now - started
        stage.success("\(number.grouped) tasks that would have slept for an hour were cancelled in \(took.text)")
    }
}
