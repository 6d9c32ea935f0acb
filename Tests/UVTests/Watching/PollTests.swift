import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct PollTests {
    @Test func tellsWhenAPipeIsReadable() throws {
        var log: [String] = []
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            let poll = try PollHandle(on: loop, watching: pipe.readEnd)
            try poll.start(.readable) { poll, result in
                #expect(try! result.get().contains(.readable))
                let bytes = try! pipe.readEnd.read(upTo: 100)
                log.append("\(bytes)")
                if bytes.isEmpty { poll.close() }
            }
            #expect(poll.isActive)
            try loop.run(.noWait)
            #expect(log.isEmpty)
            try pipe.writeEnd.writeAll([1, 2])
            try loop.run(.once)
            try pipe.writeEnd.close()
            try loop.run()
            try pipe.readEnd.close()
        }
        #expect(log == ["[1, 2]", "[]"])
    }

    @Test func readinessIsALevel() throws {
        var calls = 0
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            try pipe.writeEnd.writeAll([1])
            try PollHandle(on: loop, watching: pipe.readEnd).start(.readable) { poll, _ in
                calls += 1
                if calls == 3 { poll.close() }
            }
            try loop.run()
            try pipe.readEnd.close()
            try pipe.writeEnd.close()
        }
        #expect(calls == 3)
    }

    @Test func bothWaysOfASocket() throws {
        try withLoop { loop in
            let (near, far) = try FileDescriptor.tcpPair()
            var seen: PollHandle.Events = []
            try far.writeAll([1])
            far.finishSending()
            try PollHandle(on: loop, watching: near).start([.readable, .writable, .disconnected]) { poll, result in
                seen.formUnion(try! result.get())
                if seen == [.readable, .writable, .disconnected] { poll.close() }
            }
            try loop.run()
            try near.close()
            try far.close()
        }
    }

    @Test("Once: one call; started again it is regular")
    func once() throws {
        var first = 0
        var second = 0
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            let poll = try PollHandle(on: loop, watching: pipe.writeEnd)
            try poll.start(.writable, once: true) { poll, _ in
                #expect(!poll.isActive)
                first += 1
            }
            try loop.run()
            try poll.start(.writable) { poll, _ in
                second += 1
                if second == 3 { poll.close() }
            }
            try loop.run()
            try pipe.readEnd.close()
            try pipe.writeEnd.close()
        }
        #expect(first == 1 && second == 3)
    }

    @Test("Guard: a descriptor closed behind the handle's back is harmless", arguments: [false, true])
    func closedBehindItsBack(_ beforeTheFirstTurn: Bool) throws {
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, far) = try FileDescriptor.tcpPair()
            let poll = try PollHandle(on: loop, watching: near)
            try poll.start(.readable) { _, _ in }
            if !beforeTheFirstTurn { try loop.run(.noWait) }
            try near.close()
            try loop.run(.noWait)
            // A change of interest is a system call on the descriptor.
            try poll.start([.readable, .writable]) { poll, _ in
                received = try! poll.fileDescriptor.read(upTo: 10)
                poll.close()
            }
            try far.writeAll([7])
            try loop.run()
            try #expect(far.readToEnd().isEmpty, "the handle's own descriptor is closed")
            try far.close()
        }
        #expect(received == [7])
    }

    @Test("Guard: what cannot be polled is refused", arguments: ["/proc/self/exe", "/tmp", "/etc/passwd"])
    func files(_ path: String) throws {
        try withLoop { loop in
            let file = unsafe try FileDescriptor.open(path, .readOnly)
            defer { try? file.close() }
            expectError(.notPermitted) { try PollHandle(on: loop, watching: file) }
        }
    }

    @Test(arguments: [-1, CInt.min, 19_999, CInt.max])
    func aNumberThatIsNoDescriptorIsRefused(_ number: CInt) throws {
        try withLoop { loop in
            let error = #expect(throws: UVError.self) {
                try PollHandle(on: loop, watching: FileDescriptor(rawValue: number))
            }
            #expect(error?.code == .badFileDescriptor && error?.subject == "descriptor \(number)")
        }
    }

    @Test("The events must be some and known", arguments: [0, 16, -1, 1 | 1_024])
    func events(_ rawValue: CInt) throws {
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            let poll = try PollHandle(on: loop, watching: pipe.readEnd)
            expectError(.invalidArgument) {
                try poll.start(PollHandle.Events(rawValue: rawValue)) { _, _ in }
            }
            poll.close()
            try pipe.readEnd.close()
            try pipe.writeEnd.close()
        }
    }

    @Test("Guard: a reset comes as connection reset, not as a bad descriptor, and the handle goes on")
    func reset() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try FileDescriptor.tcpPair()
            try far.closeWithReset()
            try PollHandle(on: loop, watching: near).start(.readable) { poll, result in
                switch result {
                case .failure(let error): log.append(error.code.name)
                case .success(let events):
                    log.append("\(events.contains(.readable))")
                    poll.close()
                }
            }
            try loop.run()
            try near.close()
        }
        #expect(log == ["ECONNRESET", "true"])
    }

    @Test("Guard: a pipe whose reader is gone is writable: the write tells")
    func readerIsGone() throws {
        var errors: [Errno] = []
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            try pipe.readEnd.close()
            try PollHandle(on: loop, watching: pipe.writeEnd).start(.writable) { poll, result in
                #expect(try! result.get().contains(.writable))
                do { try pipe.writeEnd.writeAll([1]) } catch { errors.append(error as! Errno) }
                poll.close()
            }
            try loop.run()
            try pipe.writeEnd.close()
        }
        #expect(errors == [.brokenPipe])
    }

    @Test func theSameDescriptorMayBeWatchedTwice() throws {
        var calls = 0
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            for _ in 0..<2 {
                try PollHandle(on: loop, watching: pipe.writeEnd).start(.writable) { poll, _ in
                    calls += 1
                    poll.close()
                }
            }
            try loop.run()
            try pipe.readEnd.close()
            try pipe.writeEnd.close()
        }
        #expect(calls == 2)
    }

    @Test func stoppedItIsSilent() throws {
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            let poll = try PollHandle(on: loop, watching: pipe.writeEnd)
            try poll.start(.writable) { _, _ in Issue.record("called") }
            poll.stop()
            poll.stop()
            #expect(!poll.isActive)
            try loop.run()
            poll.close()
            try pipe.readEnd.close()
            try pipe.writeEnd.close()
        }
    }
}
