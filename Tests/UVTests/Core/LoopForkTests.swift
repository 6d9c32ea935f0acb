import CFaults
import Foundation
import TestSupport
import Testing
import UV

/// A loop in the child of a fork. In a process of its own: there no other thread holds a lock that the child would wait for.
@Suite struct LoopForkTests {
    @Test("The child goes on with the loop, and takes nothing from its parent's")
    func child() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let loop = try Loop()
                let (near, far) = try TCPHandle.tcpPair(on: loop)
                var received: [UInt8] = []
                try near.startReading { _, bytes in
                    received.append(copying: bytes)
                } onEnd: { near, error in
                    near.close()
                    if let error { fatalError("\(error)") }
                }
                let wakeup = try WakeupHandle(on: loop) { $0.close() }
                // Only now does the system watch for the loop.
                try loop.run(.noWait)
                let process = cfaults_fork()
                if process == 0 {
                    var fired = 0
                    do {
                        try loop.fork()
                        wakeup.waker.wake()
                        try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                            fired += 1
                            if fired == 2 { timer.close() }
                        }
                        // Were the loops one to the system, the parent would hear nothing any more.
                        near.close()
                        far.close()
                        try loop.run()
                        try loop.close()
                    } catch { _exit(1) }
                    _exit(fired == 2 ? 0 : 2)
                }
                var status: CInt = 0
                guard unsafe waitpid(process, &status, 0) == process, status == 0 else { fatalError("\(status)") }
                try far.write([1, 2, 3])
                far.closeAfterWrites()
                wakeup.waker.wake()
                try loop.run()
                try loop.close()
                guard received == [1, 2, 3] else { fatalError("\(received)") }
            }
        }
    }

    @Test func aClosedLoopCannotGoOn() throws {
        let loop = try Loop()
        try loop.close()
        expectError(.badFileDescriptor) { try loop.fork() }
    }
}
