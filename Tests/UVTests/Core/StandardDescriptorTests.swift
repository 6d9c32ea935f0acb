import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// I2: processes that were started without standard input, output and error.
@Suite(.ownThread) struct StandardDescriptorTests {
    @Test(
        "I2, guard: started with 0 to 2 closed, connections get other numbers, closes reach the peer, the loop closes")
    func closedAtStart() async {
        await #expect(processExitsWith: .success) {
            // Else they may get a number that was closed.
            await letDispatchOpenItsDescriptors()
            try synchronously {
                for descriptor: CInt in 0...2 { close(descriptor) }
                let loop = try Loop()
                var numbers: [CInt] = []
                var accepted = 0
                let listener = try TCPHandle.listening(on: loop) { listener, connection in
                    let server = try! connection.get()
                    numbers.append(try! server.fileDescriptor.rawValue)
                    accepted += 1
                    server.close()
                    listener.close()
                }
                numbers.append(try listener.fileDescriptor.rawValue)
                numbers.append(loop.backendFileDescriptor.rawValue)
                let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
                try loop.run()
                try #expect(client.readToEnd().isEmpty)
                try loop.close()
                #expect(accepted == 1 && numbers.allSatisfy { $0 > 2 })
                for descriptor: CInt in 0...2 { #expect(fcntl(descriptor, F_GETFD) != -1) }
            }
        }
    }

    @Test("I2: those that are open stay what they are")
    func oneClosed() async {
        await #expect(processExitsWith: .success) {
            // Else they may get a number that was closed.
            await letDispatchOpenItsDescriptors()
            try synchronously {
                let pipe = try FileDescriptor.pipe()
                dup2(pipe.writeEnd.rawValue, 1)
                close(0)
                let loop = try Loop()
                try FileDescriptor.standardOutput.writeAll([7])
                try #expect(pipe.readEnd.read(upTo: 1) == [7])
                try #expect(FileDescriptor.standardInput.read(upTo: 1).isEmpty, "the null device")
                try loop.close()
            }
        }
    }
}
