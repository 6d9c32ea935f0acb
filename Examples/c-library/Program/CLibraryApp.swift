import AsyncUV

/// A C library for libuv on Swift's loop: its client and our server share a thread.
@main struct CLibraryApp {
    static func main() throws {
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let serving = loop.spawn {
                try await listener.serve { connection in
                    for try await line in connection.lines() { try await connection.write("\(line.uppercased())!\n") }
                }
            }
            let client = try await LinesClient(host: "127.0.0.1", port: listener.localAddress.port, on: loop)
            print("the C library says: \(try await client.ask("hello"))")
            // Many at once: the library keeps their order.
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 1...100 { group.addTask { try await client.ask("question \(number)") } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            print("\(answers.count) answers")
            // Before the loop ends, because a loop with handles of C code cannot be closed.
            await client.close()
            await listener.close()
            try await serving.value
        }
        print("the loop is closed")
    }
}
