import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct LocalListenerTests {
    @Test("The file goes when the listener is closed or dropped, or its loop ends") func removal() async throws {
        try await onThread {
            try inSocketFolder { folder in
                let path = folder.appending("s")
                try onLoop { loop in
                    let listener = try await LocalListener.bind(path: path)
                    #expect(try names(in: folder) == ["s"])
                    await listener.close()
                    await listener.close()
                    #expect(try names(in: folder).isEmpty)
                    func dropped() async throws { _ = try await LocalListener.bind(path: path) }
                    try await dropped()
                    #expect(try names(in: folder).isEmpty)
                    let leaving = try await LocalListener.bind(path: path, removesFile: false)
                    await leaving.close()
                    #expect(try names(in: folder) == ["s"])
                    let listener2 = try await LocalListener.bind(path: path, replacingStale: true)
                    await expectError(.addressInUse) { try await LocalListener.bind(path: path, replacingStale: true) }
                    try await LocalConnection.connect(path: path).close()
                    await listener2.close()
                }
                let kept = Shared<LocalListener?>(nil)
                try EventLoop.run { _ in
                    let listener = try await LocalListener.bind(path: path)
                    kept.value = listener
                }
                #expect(try names(in: folder).isEmpty)
            }
        }
    }

    @Test(.solePool) func permissionsAndLabels() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            try onLoop { loop in
                let listener = try await LocalListener.bind(path: path, permissions: [.ownerRead, .ownerWrite])
                #expect(try await FileSystem.status(of: path).permissions == [.ownerRead, .ownerWrite])
                try await listener.setLabel("mine")
                #expect(try await listener.label == "mine" && listener.loop === loop)
                await expectError(.timedOut) { try await listener.accept(timeout: .milliseconds(5)) }
                await listener.close()
                #expect(try await listener.accept() == nil)
            }
        }
    }

    @Test func connectionsOneByOneAndErrorsOfHandlers() throws {
        try inSocketFolder { folder in
            try onLoop { loop in
                let listener = try await LocalListener.bind(path: folder.appending("s"))
                let clients = [
                    try await LocalConnection.connect(to: listener.localAddress),
                    try await LocalConnection.connect(to: listener.localAddress),
                ]
                var count = 0
                for try await connection in listener.connections {
                    try await connection.write([9])
                    await connection.close()
                    count += 1
                    if count == 2 { break }
                }
                for client in clients {
                    #expect(try await client.read() == [9])
                    await client.close()
                }
                struct Oops: Error {}
                let errors = Shared<[(String, Int32?)]>([])
                let serving = loop.spawn {
                    try await listener.serve(
                        maxConnections: 1,
                        onError: { error, peer in errors.change { $0.append(("\(error)", peer?.processID)) } }
                    ) { connection in
                        await connection.close()
                        throw Oops()
                    }
                }
                let client = try await LocalConnection.connect(to: listener.localAddress)
                #expect(try await client.read() == nil)
                await client.close()
                await listener.close()
                try await serving.value
                #expect(errors.value.count == 1 && errors.value[0].0 == "Oops()" && errors.value[0].1 == getpid())
            }
        }
    }

    @Test("shutdown(grace:) waits for those who are served, and removes the file") func grace() async throws {
        let loop = try EventLoop()
        let folder = FilePath("/tmp/uv-grace-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let listener = try await LocalListener.bind(path: folder.appending("s"), on: loop)
        let serving = loop.spawn {
            try await listener.serve { connection in
                _ = try await connection.read(exactly: 1)
                try await connection.write([2])
            }
        }
        let client = try await LocalConnection.connect(to: listener.localAddress, on: loop)
        let answer = Shared<[UInt8]>([])
        let asking = Task {
            try await client.write([1])
            for try await chunk in client { answer.change { $0 += chunk } }
            await client.close()
        }
        await loop.shutdown(grace: .seconds(1_000))
        try await serving.value
        try await asking.value
        #expect(answer.value == [2])
        #expect(try names(in: folder).isEmpty)
    }

    @Test func opensAListeningSocket() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            let socket = try FileDescriptor.localSocket(at: path)
            try onLoop { loop in
                let listener = try await LocalListener.open(socket)
                #expect(listener.localAddress.path == path)
                let client = try await LocalConnection.connect(path: path)
                let server = try #require(try await listener.accept())
                for connection in [client, server] { await connection.close() }
                await listener.close()
                #expect(try names(in: folder) == ["s"])
            }
        }
    }
}
