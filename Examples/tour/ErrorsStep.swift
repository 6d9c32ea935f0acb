import ExampleSupport
import UV

struct ErrorsStep: Step {
    let title = "Errors that say what happened"
    let sentence = "Each error names its cause, the operation and the address; its code is a value to switch over."

    func run(on stage: Stage) throws {
        let scene = try Scene()
        let server = try TCPHandle(on: scene.loop)
        try server.listen { _, _ in }
        let taken = try server.localAddress
        let silent = try TCPHandle(on: scene.loop)
        try silent.bind(to: SocketAddress(host: "127.0.0.1", port: 0))
        let silence = try silent.localAddress

        try expect(.invalidArgument, "a name where an address belongs", stage) {
            _ = try SocketAddress(host: "localhost", port: 80)
        }
        try expect(.addressInUse, "a port that is taken", stage) { try TCPHandle(on: scene.loop).bind(to: taken) }
        try expect(.invalidArgument, "a timer into the past", stage) {
            try TimerHandle(on: scene.loop).start(after: .seconds(-1)) { _ in }
        }
        try expect(.socketNotConnected, "a write before the connection", stage) {
            try TCPHandle(on: scene.loop).write([1, 2, 3])
        }
        try expect(.resourceBusy, "the end of a loop in use", stage) {
            let loop = try Loop()
            defer { finish(loop) }
            try TimerHandle(on: loop).label = "heartbeat"
            try loop.close()
        }
        try TCPHandle(on: scene.loop).connect(to: silence) { _, error in
            scene.attempt {
                try expect(.connectionRefused, "a port where nobody listens", stage) { try error.map { throw $0 } }
            }
            scene.end()
        }
        try scene.run()
    }

    private func expect(
        _ code: UVError.Code, _ attempt: String, _ stage: Stage, _ work: () throws -> Void
    ) throws {
        do { try work() } catch let error as UVError where error.code == code {
            stage.line("\(attempt.padded(to: 34))\(error)")
            return
        }
        throw Surprise("\(attempt): no \(code)")
    }

    private func finish(_ loop: Loop) {
        try? loop.closeAllHandles()
        _ = try? loop.run()
        try? loop.close()
    }
}
