import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Local sockets and pipes of the callback layer.
@Suite(.ownThread) struct PipeHandleTests {
    @Test func aPairTalksBothWaysAndHasNoNames() throws {
        var received: [UInt8] = []
        var ended = 0
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop)
            #expect(try near.localAddress.isUnnamed && near.remoteAddress.isUnnamed && !near.isIPC)
            #expect(try near.peerCredentials.processID == getpid() && near.peerCredentials.user == geteuid())
            for (handle, other) in [(near, far), (far, near)] {
                try handle.startReading(
                    onBytes: { _, bytes in received.append(copying: bytes) },
                    onEnd: { handle, error in
                        #expect(error == nil)
                        ended += 1
                        handle.close()
                    })
                try other.write([5])
                try other.finishWriting()
            }
        }
        #expect(received == [5, 5] && ended == 2)
    }

    @Test("The two ends of a pipe: one is read, the other written") func pipe() throws {
        var received: [UInt8] = []
        try withLoop { loop in
            let (readEnd, writeEnd) = try PipeHandle.pipe(readBlocks: false)
            #expect(fcntl(readEnd.rawValue, F_GETFL) & O_NONBLOCK != 0)
            #expect(fcntl(writeEnd.rawValue, F_GETFL) & O_NONBLOCK == 0)
            #expect(fcntl(readEnd.rawValue, F_GETFD) & FD_CLOEXEC != 0)
            let reader = try PipeHandle(on: loop)
            let writer = try PipeHandle(on: loop)
            try reader.open(readEnd)
            try writer.open(writeEnd)
            #expect(reader.isReadable && !reader.isWritable && writer.isWritable && !writer.isReadable)
            expectError(.brokenPipe) { try reader.write([1]) }
            expectError(.socketNotConnected) { try writer.startReading(onBytes: { _, _ in }, onEnd: { _, _ in }) }
            expectError(.notSocket) { try reader.localAddress }
            expectError(.notSocket) { try reader.peerCredentials }
            try reader.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) },
                onEnd: { reader, error in
                    #expect(error == nil)
                    reader.close()
                })
            #expect(try writer.write([UInt8](repeating: 3, count: 200_000)) == .queued)
            writer.closeAfterWrites()
        }
        #expect(received.count == 200_000)
    }

    private func echo(at address: LocalAddress) throws {
        var answer: [UInt8] = []
        try withLoop { loop in
            let listener = try PipeHandle(on: loop)
            try listener.bind(to: address)
            try listener.listen { listener, connection in
                let server = try! connection.get()
                #expect(try! server.remoteAddress.isUnnamed && server.localAddress == address)
                #expect(try! server.peerCredentials.processID == getpid())
                try! server.startReading(
                    onBytes: { server, bytes in try! server.write(bytes) }, onEnd: { server, _ in server.close() })
                listener.close()
            }
            #expect(try listener.localAddress == address)
            let client = try PipeHandle(on: loop)
            try client.connect(to: address) { client, error in
                #expect(error == nil)
                #expect(try! client.remoteAddress == address && client.localAddress.isUnnamed)
                try! client.startReading(
                    onBytes: { client, bytes in
                        answer.append(copying: bytes)
                        client.close()
                    }, onEnd: { _, _ in })
                try! client.write("hello")
                expectError(.socketIsConnected) { try client.connect(to: address) { _, _ in } }
            }
            expectError(.alreadyInProcess) { try client.connect(to: address) { _, _ in } }
        }
        #expect(answer == Array("hello".utf8))
    }

    @Test func anEchoOverAPath() throws {
        try inSocketFolder { folder in
            try echo(at: LocalAddress(path: folder.appending("s")))
            #expect(try names(in: folder).isEmpty)
            // The longest name that there is.
            let rest = LocalAddress.longestName - folder.string.utf8.count - 1
            try echo(at: LocalAddress(path: folder.appending(String(repeating: "l", count: rest))))
        }
    }

    #if os(Linux)
    @Test func anEchoOverAnAbstractName() throws {
        try echo(at: LocalAddress(abstract: Array("uv-test-\(getpid())".utf8) + [0, 0]))
    }

    @Test func nobodyHasTheAbstractName() throws {
        try withLoop { loop in
            let client = try PipeHandle(on: loop)
            let address = try LocalAddress(abstract: "uv-nobody-\(getpid())")
            let error = #expect(throws: UVError.self) { try client.connect(to: address) { _, _ in } }
            #expect(error?.code == .connectionRefused && error?.subject == address.description)
            client.close()
        }
    }
    #endif

    @Test("A connect that fails says why, and the handle can try again") func connectAgain() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            let file = folder.appending("file")
            try FileDescriptor.open(file, .writeOnly, options: .create, permissions: .ownerReadWrite).close()
            let messages = try FileDescriptor.localSocket(
                at: folder.appending("m"), backlog: nil, datagrams: true)
            var codes: [UVError.Code?] = []
            var received: [UInt8] = []
            try withLoop { loop in
                let client = try PipeHandle(on: loop)
                func attempt(_ name: String) throws {
                    try client.connect(to: LocalAddress(path: folder.appending(name))) { _, error in
                        codes.append(error?.code)
                        #expect(error?.subject == folder.appending(name).string)
                    }
                    try loop.run()
                }
                try attempt("missing")
                try attempt("file")
                try attempt("m")
                #expect(codes == [.noSuchFileOrDirectory, .connectionRefused, .protocolWrongTypeForSocket])
                let listener = try FileDescriptor.localSocket(at: path)
                try client.connect(to: LocalAddress(path: path)) { client, error in
                    #expect(error == nil)
                    try! client.write([9])
                    try! client.startReading(
                        onBytes: { client, bytes in
                            received.append(copying: bytes)
                            client.close()
                        }, onEnd: { _, _ in })
                }
                let peer = try listener.acceptOne()
                try peer.writeAll([7])
                try loop.run()
                #expect(try peer.read(upTo: 1) == [9])
                try peer.close()
                try listener.close()
            }
            try messages.close()
            #expect(received == [7])
        }
    }

    @Test("K3: a close ends a connect once, with canceled") func closeWhileConnecting() throws {
        try inSocketFolder { folder in
            let listener = try FileDescriptor.localSocket(at: folder.appending("s"))
            var addresses = [try LocalAddress(path: folder.appending("s"))]
            var codes: [UVError.Code?] = []
            try withLoop { loop in
                let server = try PipeHandle(on: loop)
                #if os(Linux)
                addresses.append(try LocalAddress(abstract: "uv-closing-\(getpid())"))
                try server.bind(to: addresses[1])
                try server.listen { _, connection in try! connection.get().close() }
                #endif
                for address in addresses {
                    let client = try PipeHandle(on: loop)
                    try client.connect(to: address) { _, error in codes.append(error?.code) }
                    client.close()
                    client.close()
                }
                try TimerHandle(on: loop).start(after: .milliseconds(20)) { timer in
                    server.close()
                    timer.close()
                }
            }
            try listener.close()
            #expect(codes == addresses.map { _ in .canceled })
        }
    }

    @Test("Guard: what libuv cannot wait for is refused and stays the caller's") func refused() throws {
        let file = unsafe try FileDescriptor.open("/proc/self/exe", .readOnly)
        let device = unsafe try FileDescriptor.open("/dev/null", .readWrite)
        let directory = unsafe try FileDescriptor.open("/tmp", .readOnly)
        let datagrams = FileDescriptor(rawValue: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0))
        for descriptor in [file, device, directory] { try expectRefused(descriptor, .notPermitted) }
        try expectRefused(datagrams, .protocolWrongTypeForSocket)
        for descriptor in [file, device, directory, datagrams] { try descriptor.close() }
        try expectRefused(FileDescriptor(rawValue: 19_999), .badFileDescriptor)
    }

    private func expectRefused(_ descriptor: FileDescriptor, _ code: UVError.Code) throws {
        var found: UVError?
        try withLoop { loop in
            let handle = try PipeHandle(on: loop)
            do { try handle.open(descriptor) } catch { found = error as? UVError }
            handle.close()
        }
        #expect(found?.code == code && found?.subject == "descriptor \(descriptor.rawValue)")
    }

    @Test("A TCP socket is a stream as well, without a local address") func otherFamily() throws {
        let (near, far) = try FileDescriptor.tcpPair()
        var received: [UInt8] = []
        try withLoop { loop in
            let handle = try PipeHandle(on: loop)
            try handle.open(near)
            expectError(.addressFamilyNotSupported) { try handle.localAddress }
            expectError(.addressFamilyNotSupported) { try handle.remoteAddress }
            expectError(.socketNotConnected) { try handle.peerCredentials }
            try handle.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { handle, _ in handle.close() })
            try far.writeAll([1, 2])
            try far.close()
        }
        #expect(received == [1, 2])
    }

    @Test func aHandleWithADescriptorTakesNoOther() throws {
        let (near, far) = try PipeHandle.pipe()
        try withLoop { loop in
            let handle = try PipeHandle(on: loop)
            try handle.open(near)
            expectError(.resourceBusy) { try handle.open(far) }
            handle.close()
        }
        try far.close()
    }

    @Test func aHandleWithoutAnAddressDoesNotListen() throws {
        try withLoop { loop in
            let handle = try PipeHandle(on: loop)
            expectError(.invalidArgument) { try handle.listen { _, _ in } }
            expectError(.badFileDescriptor) { try handle.localAddress }
            expectError(.badFileDescriptor) { try handle.remoteAddress }
            expectError(.destinationAddressRequired) { try handle.connect(to: .unnamed) { _, _ in } }
            expectError(.destinationAddressRequired) { try handle.bind(to: .unnamed) }
            expectError(.socketNotConnected) { try handle.write([1]) }
            #expect(handle.pendingCount == 0 && handle.pendingKind == nil)
            handle.close()
        }
    }

    @Test("K3: every operation on a closed handle says bad file descriptor") func useAfterClose() throws {
        try inSocketFolder { folder in
            let address = try LocalAddress(path: folder.appending("s"))
            try withLoop { loop in
                let other = try PipeHandle.pair(on: loop)
                for runs in [false, true] {
                    let handle = try PipeHandle(on: loop, ipc: true)
                    handle.close()
                    if runs { try loop.run(.noWait) }
                    let operations: [() throws -> Void] = [
                        { try handle.open(FileDescriptor(rawValue: 1)) }, { try handle.bind(to: address) },
                        { try handle.connect(to: address) { _, _ in Issue.record("connected") } },
                        { try handle.listen { _, _ in } }, { _ = try handle.localAddress },
                        { _ = try handle.remoteAddress }, { _ = try handle.peerCredentials },
                        { try handle.allowEveryone(.writable) }, { try handle.write([1], sending: other.0) },
                        { _ = try handle.tryWrite([1], sending: other.0) },
                        { try handle.acceptPending(into: other.0) },
                    ]
                    for operation in operations { expectError(.badFileDescriptor) { try operation() } }
                    #expect(handle.pendingCount == 0)
                    handle.dropPending()
                }
                other.0.close()
                other.1.close()
            }
            #expect(try names(in: folder).isEmpty)
        }
    }

    @Test("N2: an early answer arrives whole, though the peer's bytes are never read") func lingering() throws {
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop)
            try far.write([UInt8](repeating: 1, count: 1_000))
            try near.write("answer")
            near.closeAfterWrites()
            var received: [UInt8] = []
            try far.startReading(
                onBytes: { far, bytes in
                    received.append(copying: bytes)
                    _ = try? far.write([1])
                },
                onEnd: { far, error in
                    #expect(error == nil)
                    far.close()
                })
            try loop.run()
            #expect(received == Array("answer".utf8))
        }
    }

    #if os(Linux)
    @Test("A listener whose queue is full refuses, and errors name the peer") func fullQueue() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            let listener = try FileDescriptor.localSocket(at: path, backlog: 0)
            let first = try FileDescriptor.localConnection(to: path)
            var codes: [UVError.Code?] = []
            try withLoop { loop in
                let client = try PipeHandle(on: loop)
                try client.connect(to: LocalAddress(path: path)) { client, error in
                    codes.append(error?.code)
                    client.close()
                }
            }
            #expect(codes == [.resourceTemporarilyUnavailable])
            try first.close()
            try listener.close()
        }
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop)
            far.close()
            try loop.run()
            let error = #expect(throws: UVError.self) { try near.write([1]) }
            #expect(error?.code == .brokenPipe && error?.subject == "process \(getpid()) of user \(geteuid())")
            near.close()
        }
    }

    @Test("A2: accepting goes on after each error", arguments: [ECONNABORTED, EMFILE, ENOMEM])
    func acceptFails(_ code: CInt) throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            var accepted = 0
            var errors: [UVError] = []
            try withLoop { loop in
                let listener = try PipeHandle(on: loop)
                try listener.bind(to: LocalAddress(path: path))
                try listener.listen { listener, connection in
                    switch connection {
                    case .success(let server):
                        accepted += 1
                        server.close()
                        if accepted == 3 { listener.close() }
                    case .failure(let error): errors.append(error)
                    }
                }
                let clients = try (0..<3).map { _ in try FileDescriptor.localConnection(to: path) }
                cfaults_fail_accept(code, 2)
                try loop.run()
                for client in clients { try client.close() }
            }
            #expect(accepted == 3)
            #expect(errors.map(\.code.rawValue) == (code == ECONNABORTED ? [] : [-code]))
        }
    }
    #endif
}
