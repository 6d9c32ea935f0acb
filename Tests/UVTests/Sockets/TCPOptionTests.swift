import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TCPOptionTests {
    private let level = CInt(IPPROTO_TCP)

    @Test func keepAliveReachesTheSocket() throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            let socket = try near.fileDescriptor
            #expect(socket.option(SOL_SOCKET, SO_KEEPALIVE) == 0)
            try near.setKeepAlive(TCPKeepAlive(idle: .seconds(33), interval: .seconds(7), count: 4))
            #expect(socket.option(SOL_SOCKET, SO_KEEPALIVE) == 1)
            #expect(socket.option(level, TCP_KEEPIDLE) == 33)
            #expect(socket.option(level, TCP_KEEPINTVL) == 7)
            #expect(socket.option(level, TCP_KEEPCNT) == 4)
            try near.setKeepAlive(nil)
            #expect(socket.option(SOL_SOCKET, SO_KEEPALIVE) == 0)
            near.close()
            far.close()
        }
    }

    @Test("Keep-alive times are rounded up to whole seconds", arguments: [1, 1_000, 1_001, 1_999, 2_000])
    func rounding(_ milliseconds: Int) throws {
        try withLoop { loop in
            let socket = try TCPHandle(on: loop, family: .ipv4)
            let time = Duration.milliseconds(milliseconds)
            try socket.setKeepAlive(TCPKeepAlive(idle: time, interval: time, count: 1))
            let seconds = CInt((milliseconds + 999) / 1_000)
            try #expect(socket.fileDescriptor.option(level, TCP_KEEPIDLE) == seconds)
            try #expect(socket.fileDescriptor.option(level, TCP_KEEPINTVL) == seconds)
            socket.close()
        }
    }

    @Test(
        "B2, guard: keep-alive out of range is an error and changes nothing",
        arguments: [
            TCPKeepAlive(idle: .zero), TCPKeepAlive(idle: .seconds(32_768)), TCPKeepAlive(idle: .seconds(100_000)),
            TCPKeepAlive(idle: .seconds(-1)), TCPKeepAlive(idle: .seconds(Int64.max)), TCPKeepAlive(interval: .zero),
            TCPKeepAlive(interval: .seconds(32_768)), TCPKeepAlive(interval: .seconds(-5)), TCPKeepAlive(count: 0),
            TCPKeepAlive(count: -1), TCPKeepAlive(count: 128), TCPKeepAlive(count: Int.max),
        ])
    func outOfRange(_ keepAlive: TCPKeepAlive) throws {
        try withLoop { loop in
            let socket = try TCPHandle(on: loop, family: .ipv4)
            expectError(.invalidArgument) { try socket.setKeepAlive(keepAlive) }
            try #expect(socket.fileDescriptor.option(SOL_SOCKET, SO_KEEPALIVE) == 0)
            socket.close()
        }
    }

    @Test("B2: the largest keep-alive is taken") func largest() throws {
        try withLoop { loop in
            let socket = try TCPHandle(on: loop, family: .ipv6)
            try socket.setKeepAlive(TCPKeepAlive(idle: .seconds(32_767), interval: .seconds(32_767), count: 127))
            try #expect(socket.fileDescriptor.option(level, TCP_KEEPCNT) == 127)
            socket.close()
        }
    }

    @Test func keepAliveNeedsASocket() throws {
        try withLoop { loop in
            let socket = try TCPHandle(on: loop)
            expectError(.badFileDescriptor) { try socket.setKeepAlive(TCPKeepAlive()) }
            socket.close()
        }
    }

    @Test func noDelayReachesTheSocket() throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.setNoDelay(enabled: true)
            try #expect(near.fileDescriptor.option(level, TCP_NODELAY) == 1)
            try near.setNoDelay(enabled: false)
            try #expect(near.fileDescriptor.option(level, TCP_NODELAY) == 0)
            near.close()
            far.close()
        }
    }

    @Test func noDelayIsKeptUntilThereIsASocket() throws {
        var connected = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                try! connection.get().close()
                listener.close()
            }
            let client = try TCPHandle(on: loop)
            try client.setNoDelay(enabled: true)
            try client.connect(to: listener.localAddress) { client, _ in
                #expect(try! client.fileDescriptor.option(level, TCP_NODELAY) == 1)
                connected += 1
                client.close()
            }
        }
        #expect(connected == 1)
    }

    @Test func acceptedSocketsAreClosedOnExecAndDoNotBlock() throws {
        var accepted = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                let server = try! connection.get()
                for handle in [listener, server] {
                    let socket = try! handle.fileDescriptor.rawValue
                    #expect(fcntl(socket, F_GETFD) & FD_CLOEXEC != 0)
                    #expect(fcntl(socket, F_GETFL) & O_NONBLOCK != 0)
                }
                accepted += 1
                server.close()
                listener.close()
            }
            let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
            try loop.run()
            try client.close()
        }
        #expect(accepted == 1)
    }

    @Test func blockingCanBeSwitched() throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            let socket = try near.fileDescriptor.rawValue
            try near.setBlocking(enabled: true)
            #expect(fcntl(socket, F_GETFL) & O_NONBLOCK == 0)
            try near.setBlocking(enabled: false)
            #expect(fcntl(socket, F_GETFL) & O_NONBLOCK != 0)
            near.close()
            far.close()
        }
    }
}
