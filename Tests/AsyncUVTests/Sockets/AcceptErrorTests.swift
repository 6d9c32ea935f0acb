import AsyncUV
import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing

#if os(Linux)
/// A2, as ``UVTests`` has it for callbacks: the faults are those of the calling thread, which runs the loop.
@Suite(.ownThread) struct AcceptErrorTests {
    @Test(
        "A2: serve goes on after each error of accept; those of a peer that gave up are not reported",
        arguments: [
            (ECONNABORTED, false), (EINTR, false), (EPROTO, false), (ENETDOWN, false), (EHOSTUNREACH, false),
            (ENFILE, true), (EMFILE, true), (ENOBUFS, true), (ENOMEM, true), (EPERM, true),
        ])
    func serving(_ fault: CInt, _ isReported: Bool) throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let errors = Shared<[CInt]>([])
            let served = Shared(0)
            let serving = loop.spawn {
                try await listener.serve { error, peer in
                    errors.change { $0.append(peer == nil ? code(of: error)?.rawValue ?? 0 : 0) }
                } _: { connection in
                    served.change { $0 += 1 }
                    try await connection.write([1])
                }
            }
            let clients = try (0..<5).map { _ in try FileDescriptor.tcpConnection(toPort: listener.localAddress.port) }
            cfaults_fail_accept(fault, 3)
            for client in clients {
                #expect(try await onThread { try client.readToEnd() } == [1])
                try client.close()
            }
            await listener.close()
            try await serving.value
            #expect(served.value == 5)
            #expect(errors.value == (isReported ? [-fault] : []))
        }
    }

    @Test("A2: the sequence of connections goes on, too", arguments: [ECONNABORTED, EMFILE, EPERM])
    func connections(_ fault: CInt) throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let clients = try (0..<5).map { _ in try FileDescriptor.tcpConnection(toPort: listener.localAddress.port) }
            cfaults_fail_accept(fault, 3)
            var count = 0
            for try await connection in listener.connections {
                await connection.close()
                count += 1
                if count == 5 { await listener.close() }
            }
            #expect(count == 5)
            for client in clients { try client.close() }
        }
    }
}
#endif
