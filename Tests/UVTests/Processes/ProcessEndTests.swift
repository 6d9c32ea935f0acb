import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct ProcessEndTests {
    @Test func killed() throws {
        for signal in [Signal.terminate, .kill, .user1] {
            let child = Child()
            try withLoop { loop in
                let handle = try child.start(on: loop, "cat", input: .pipe)
                #expect(handle.isActive && handle.id > 1 && handle.exitStatus == nil)
                try handle.kill(Signal(0))
                try handle.kill(signal)
                handle.input?.close()
            }
            #expect(child.status == .signaled(signal))
        }
    }

    @Test("P1: who has ended, or was closed, is not signalled")
    func notSignalled() throws {
        try withLoop { loop in
            let handle = try ProcessHandle(on: loop, "true") { handle, status in
                #expect(handle.exitStatus == status && !handle.isActive)
                expectError(.noSuchProcess) { try handle.kill() }
                expectError(.noSuchProcess) { try handle.killGroup() }
                handle.close()
                handle.close()
                expectError(.badFileDescriptor) { try handle.kill() }
            }
            expectError(.invalidArgument) { try handle.kill(Signal(1_000)) }
            expectError(.notPermitted) { try handle.killGroup() }
        }
    }

    @Test func signalsToNumbers() throws {
        for number: Int32 in [0, -1, -4_711] {
            expectError(.invalidArgument) { try Signal.terminate.send(toProcess: number) }
            expectError(.invalidArgument) { try Signal.terminate.send(toGroup: number) }
        }
        expectError(.invalidArgument) { try Signal.terminate.send(toGroup: 1) }
        expectError(.noSuchProcess) { try Signal(0).send(toProcess: .max) }
        try Signal(0).send(toProcess: getpid())
        let child = Child()
        try withLoop { loop in
            let handle = try child.start(on: loop, "cat", options: ProcessOptions(isDetached: true), input: .pipe)
            try Signal(0).send(toGroup: handle.id)
            try Signal.user2.send(toProcess: handle.id)
            handle.input?.close()
        }
        #expect(child.status == .signaled(.user2))
    }

    @Test("A group is signalled as a whole: the output ends when nobody has it any more")
    func group() throws {
        var text: [UInt8] = []
        var status: ExitStatus?
        try withLoop { loop in
            let handle = try ProcessHandle(
                on: loop, "sh", ["-c", "sleep 1000 & sleep 1000 & echo ready; sleep 1000"],
                options: ProcessOptions(isDetached: true), output: .pipe
            ) { handle, end in
                status = end
                handle.close()
            }
            try handle.output?.startReading { _, bytes in
                text.append(copying: bytes)
                try! handle.killGroup(.kill)
            } onEnd: { stream, _ in
                stream.close()
            }
        }
        #expect(status == .signaled(.kill) && text == Array("ready\n".utf8))
    }

    @Test("The status that another part of the program has taken is unknown; nobody hangs")
    func stolenStatus() throws {
        let child = Child()
        try withLoop { loop in
            let handle = try child.start(on: loop, "sh", ["-c", "exit 3"])
            var status: CInt = 0
            #expect(unsafe waitpid(handle.id, &status, 0) == handle.id)
        }
        #expect(child.status == .unknown && child.exits == 1)
    }

    @Test("Ends are noticed without SIGCHLD: blocked everywhere, ignored, or another's")
    func withoutSIGCHLD() async throws {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let loop = try Loop()
                let child = Child()
                try child.start(on: loop, "sh", ["-c", "exit 3"])
                _ = signal(SIGCHLD, SIG_DFL)
                try loop.run()
                guard child.status == .exited(3) else { fatalError("\(child.status as Any)") }
                let other = Child()
                try other.start(on: loop, "sh", ["-c", "exit 4"])
                // The system reaps by itself.
                _ = signal(SIGCHLD, SIG_IGN)
                try loop.run()
                guard other.status == .unknown || other.status == .exited(4) else { fatalError() }
                try loop.close()
            }
        }
    }

    @Test("Output that a descendant prints after the child's exit arrives")
    func outputAfterTheExit() throws {
        var order: [String] = []
        let (reading, writing) = try plainPipe()
        try withLoop { loop in
            let handle = try ProcessHandle(
                on: loop, "sh", ["-c", "(read a <&3; echo late) & exit 0"], output: .pipe, further: [reading]
            ) { handle, _ in
                order.append("exit")
                handle.close()
                try! writing.writeAll("go\n".utf8)
            }
            try handle.output?.startReading { _, bytes in
                order.append("\(bytes.count)")
            } onEnd: { stream, _ in
                order.append("end")
                stream.close()
            }
        }
        #expect(order == ["exit", "5", "end"])
        try reading.close()
        try writing.close()
    }

    @Test("K3: closed at once, in the exit's call, and by the loop's end")
    func closing() throws {
        try withLoop { loop in
            let handle = try ProcessHandle(on: loop, "cat", input: .pipe) { _, _ in Issue.record("called") }
            handle.input?.close()
            handle.close()
            handle.close()
        }
        let loop = try Loop()
        let handle = try ProcessHandle(on: loop, "cat", input: .pipe, output: .pipe) { _, _ in Issue.record("called") }
        #expect(loop.handles.count == 3)
        try loop.closeAllHandles()
        try loop.run()
        try loop.close()
        expectError(.badFileDescriptor) { try ProcessHandle(on: loop, "true") { _, _ in } }
        _ = handle
    }

    @Test func aChildInTheBackgroundDoesNotKeepTheLoop() throws {
        let loop = try Loop()
        let handle = try ProcessHandle(on: loop, "cat", input: .pipe, output: .null) { _, _ in }
        handle.keepsLoopAlive = false
        try loop.run()
        #expect(handle.exitStatus == nil)
        handle.keepsLoopAlive = true
        handle.input?.close()
        try loop.run()
        #expect(handle.exitStatus == .exited(0))
        // Nothing left to wait for, although the handle is open.
        handle.keepsLoopAlive = true
        try loop.run()
        handle.close()
        try loop.run()
        try loop.close()
    }
}
