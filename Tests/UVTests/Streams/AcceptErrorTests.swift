import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

#if os(Linux)
@Suite(.ownThread) struct AcceptErrorTests {
    @Test(
        "A2: accepting goes on after each error; those of a peer that gave up are not reported",
        arguments: [
            (ECONNABORTED, false), (EINTR, false), (EPROTO, false), (ENFILE, true), (EMFILE, true), (ENOBUFS, true),
            (ENOMEM, true), (EPERM, true), (ENETDOWN, false), (ENOPROTOOPT, false), (EHOSTDOWN, false), (ENONET, false),
            (EHOSTUNREACH, false), (EOPNOTSUPP, false), (ENETUNREACH, false),
        ])
    func acceptFails(_ code: CInt, _ isReported: Bool) throws {
        var accepted = 0
        var errors: [UVError] = []
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                switch connection {
                case .success(let server):
                    accepted += 1
                    server.close()
                    if accepted == 5 { listener.close() }
                case .failure(let error):
                    errors.append(error)
                    #expect(listener.isActive && !listener.isClosing)
                }
            }
            let port = try listener.localAddress.port
            let clients = try (0..<5).map { _ in try FileDescriptor.tcpConnection(toPort: port) }
            cfaults_fail_accept(code, 3)
            try loop.run()
            for client in clients { try #expect(client.readToEnd().isEmpty) }
            for client in clients { try client.close() }
        }
        #expect(accepted == 5)
        #expect(errors.map(\.code.rawValue) == (isReported ? [-code] : []))
        #expect(errors.allSatisfy { $0.operation == "accept" })
    }

    @Test("A2: a listener closed by its error's closure stays closed")
    func closeOnError() throws {
        var calls = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, _ in
                calls += 1
                listener.close()
            }
            let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
            cfaults_fail_accept(EMFILE, 1)
            try loop.run()
            try client.close()
        }
        #expect(calls == 1)
    }

    @Test("A2: a listener paused while it waits for descriptors goes on when it is resumed")
    func pauseOnError() throws {
        var accepted = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                if case .failure = connection { return listener.pauseAccepting() }
                accepted += 1
                try! connection.get().close()
                listener.close()
            }
            let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
            cfaults_fail_accept(EMFILE, 1)
            try loop.run()
            #expect(accepted == 0 && !listener.isActive, "paused: nothing keeps the loop")
            try listener.resumeAccepting()
            try loop.run()
            try client.close()
        }
        #expect(accepted == 1)
    }

    @Test("A1, guard: out of descriptors while a thief takes each one that gets free, the loop goes on and recovers")
    func outOfDescriptors() async {
        await #expect(processExitsWith: .success) {
            alarm(60)
            try DescriptorShortage().survive()
        }
    }
}
#endif
