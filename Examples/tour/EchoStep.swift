import ExampleSupport
import UV

struct EchoStep: Step {
    let title = "TCP echo"
    let sentence = "A server and its clients share this thread: nobody blocks, so nobody needs a thread of their own."

    func run(on stage: Stage) throws {
        try conversation(stage)
        try crowd(stage)
    }

    private func conversation(_ stage: Stage) throws {
        let scene = try Scene()
        let address = try EchoService(in: scene).start()
        stage.line("the server listens on \(address)")
        let client = try TCPHandle(on: scene.loop)
        var lines = ["Hello, libuv!", "你好,世界", "Good bye."]
        func sayNext() throws {
            guard !lines.isEmpty else { return scene.end() }
            let line = lines.removeFirst()
            stage.line("client: \(line)")
            try client.write(Array(line.utf8))
        }
        try client.connect(to: address) { client, error in
            scene.attempt {
                if let error { throw error }
                try client.startReading(
                    onBytes: { _, bytes in
                        stage.line("server: \(String(decoding: [UInt8](copying: bytes), as: UTF8.self))")
                        scene.attempt { try sayNext() }
                    },
                    onEnd: { _, error in scene.fail(error ?? UVError(.endOfFile, in: "read")) })
                try sayNext()
            }
        }
        try scene.run()
    }

    private func crowd(_ stage: Stage) throws {
        let scene = try Scene()
        let address = try EchoService(in: scene).start()
        let clients = 100
        let messages = 100
        let size = 1_024
        let started = Loop.hrtime
        var talking = clients
        for _ in 0..<clients {
            try EchoCaller(in: scene, messages: messages, size: size) {
                talking -= 1
                if talking == 0 { scene.end() }
            }.call(address)
        }
        try scene.run()
        stage.success(
            "\(clients) clients sent \((clients * messages).grouped) messages of \(size.grouped) bytes and got each back, "
                + "in \((Loop.hrtime - started).text)")
    }
}
